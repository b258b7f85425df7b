"""Every code the tool can print: catalogue findings, plan warnings, blocks, refusals and errors.

Scripts match on codes, so a code is never renamed. One enumeration holds them all, so that a test
can check that `explain` knows each one.
"""

from enum import StrEnum


class Code(StrEnum):
    """The stable name of one kind of finding, warning, block, refusal or error."""

    # Catalogue errors: the file must be fixed before anything else happens.
    BAD_YAML = "bad_yaml"
    BAD_ENCODING = "bad_encoding"
    FILE_TOO_LARGE = "file_too_large"
    UNREADABLE_FILE = "unreadable_file"
    OUTSIDE_CATALOG = "outside_catalog"
    ABSENT_FILE = "absent_file"
    ALIAS_BUDGET = "alias_budget"
    EXPLICIT_TAG = "explicit_tag"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_KIND = "wrong_kind"
    MISSING_FIELD = "missing_field"
    EMPTY_VALUE = "empty_value"
    BLANK_TEXT = "blank_text"
    PADDED_TEXT = "padded_text"
    CONTROL_CHARACTER = "control_character"
    DUPLICATE_KEY = "duplicate_key"
    DUPLICATE_STORE_ID = "duplicate_store_id"
    RENAME_STILL_DECLARED = "rename_still_declared"
    RENAME_TWICE = "rename_twice"
    BAD_URL = "bad_url"
    NO_CATALOG = "no_catalog"
    CANNOT_EDIT = "cannot_edit"

    # Catalogue warnings: legal, but probably a mistake.
    NOT_NFC = "not_nfc"
    TAGS_DIFFER_IN_CASE = "tags_differ_in_case"
    INVISIBLE_CHARACTER = "invisible_character"
    DUPLICATE_NAME = "duplicate_name"
    HTTP_IMAGE = "http_image"
    UNUSED_DEFAULT = "unused_default"
    UNREAD_FILE = "unread_file"
    RULE_FAILED = "rule_failed"

    # Plan warnings.
    CREATE_WITHOUT_TYPE = "create_without_type"
    CREATE_WITHOUT_IMAGE = "create_without_image"
    IGNORED = "ignored"
    RENAMED_FROM_APPLIED = "renamed_from_applied"
    UNCONFIRMED = "unconfirmed"
    PROTECTED = "protected"
    UNMATCHED_PROTECTED = "unmatched_protected"
    LOOKS_LIKE_RENAME = "looks_like_rename"
    DIFFERS_IN_CASE = "differs_in_case"
    SERVER_KEEPS = "server_keeps"
    RENAME_RING = "rename_ring"
    NO_COMMIT = "no_commit"
    LEFT_OUT = "left_out"
    NOTHING_APPLIED = "nothing_applied"
    DELETES_HAND_ENTERED_DATA = "deletes_hand_entered_data"

    # Reasons why a product is blocked.
    DUPLICATE_REMOTE = "duplicate_remote"
    MISSING_STORE_ID = "missing_store_id"
    MISSING_ID = "missing_id"
    RENAME_CONFLICT = "rename_conflict"
    RENAME_WAITS = "rename_waits"
    NOT_LISTED_YET = "not_listed_yet"

    # Refusals by a guard.
    TOO_MANY_CREATES = "too_many_creates"
    TOO_MANY_DELETES = "too_many_deletes"
    TOO_MANY_UPDATES = "too_many_updates"
    EMPTY_CATALOG = "empty_catalog"

    # Apply warnings.
    NOT_VERIFIED = "not_verified"
    BATCH_IN_PART = "batch_in_part"
    CREATED_TWICE = "created_twice"
    CHANGED_MEANWHILE = "changed_meanwhile"
    BROKE_A_LOCK = "broke_a_lock"
    ALREADY_APPLIED = "already_applied"
    AGE_UNKNOWN = "age_unknown"
    NO_LEDGER = "no_ledger"

    # Pull warnings.
    NOT_WRITABLE = "not_writable"

    # Import errors and warnings.
    SPREADSHEET_DAMAGE = "spreadsheet_damage"
    DAMAGED_ROW = "damaged_row"
    UNMAPPED_TYPE = "unmapped_type"
    UNUSABLE_IMAGE = "unusable_image"
    UNLIKELY_ID = "unlikely_id"

    # Errors that end a command.
    USAGE = "usage"
    BAD_SETTINGS = "bad_settings"
    NO_API_KEY = "no_api_key"
    UNTRUSTED_HOST = "untrusted_host"
    BAD_CATALOG = "bad_catalog"
    BAD_EXPORT = "bad_export"
    UNREACHABLE = "unreachable"
    KEY_REFUSED = "key_refused"
    BAD_ANSWER = "bad_answer"
    REJECTED = "rejected"
    UNSTABLE_LIST = "unstable_list"
    BAD_LEDGER = "bad_ledger"
    LEDGER_NOT_WRITTEN = "ledger_not_written"
    GIT = "git"
    LOCKED = "locked"
    BAD_PLAN_FILE = "bad_plan_file"
    REFUSED = "refused"
    STALE_PLAN = "stale_plan"
    OTHER_SHOP = "other_shop"
    OLDER_COMMIT = "older_commit"
    NOT_CONFIRMED = "not_confirmed"
    OUTPUT = "output"
    MISSING_EXTRA = "missing_extra"
    INTERRUPTED = "interrupted"
    NOT_ATTEMPTED = "not_attempted"
    WORKER_LOST = "worker_lost"
    UNMATCHED_PATTERN = "unmatched_pattern"
    BUG = "bug"
