"""What the commands' exit codes mean."""

# Nobody reads the output any more.
UNREAD = 1
# Told in a sentence: the user can mend it.
USER_ERROR = 2
# A run waits for approval.
WAITING = 3
INTERRUPTED = 130
