"""Where the Ledger is kept between two runs, and how one apply at a time holds it."""
