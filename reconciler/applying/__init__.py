"""Operations to Outcomes: execute, settle, verify, keep the journal."""
