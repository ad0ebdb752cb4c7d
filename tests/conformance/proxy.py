"""microburst, with the account's clock in the answers that it makes itself.

    python3 proxy.py MULTIPLE --upstream URL --port PORT

The account lives in a year and at a pace of its own, and Evenkeel reads the time off the date of each answer. At AWS a
refusal has the same clock as a success; the answers of a proxy would have this machine's.
"""

import email.utils
import json
import sys
import time
import urllib.request

import aiohttp.web_response
import microburst.cli


def main():
    multiple, upstream = float(sys.argv[1]), sys.argv[sys.argv.index("--upstream") + 1]
    with urllib.request.urlopen(f"{upstream}/_sim/state", timeout=30) as answer:
        there = json.load(answer)["now"]
    here = time.time()

    def date():
        return email.utils.formatdate(there + (time.time() - here) * multiple, usegmt=True)

    aiohttp.web_response.rfc822_formatted_time = date
    sys.argv[1:] = sys.argv[2:]
    microburst.cli.main()


if __name__ == "__main__":
    main()
