"""`python enqueue.py < ids`: the tasks of exports that are in the database, one id a line."""

import sys

from tasks import deliver_export

if __name__ == "__main__":
    for line in sys.stdin:
        deliver_export.delay(line.strip())
