"""Write `cli/ecr_steward/gate/managed_policies.json.gz`: the documents of AWS's managed policies, for the gate.

    python scripts/refresh_managed_policies.py

They come from the list that moto keeps (Apache License 2.0, https://github.com/getmoto/moto), in the version that
`requirements/dev.txt` pins. The same list gives the same bytes.
"""

import gzip
import json
from pathlib import Path

from moto.iam.aws_managed_policies import aws_managed_policies_data

TARGET = Path(__file__).parents[1] / "cli" / "ecr_steward" / "gate" / "managed_policies.json.gz"


def main() -> None:
    """Write the file and print what is in it."""
    listed = json.loads(aws_managed_policies_data)
    newest = max(policy["UpdateDate"] for policy in listed.values())
    documents = {f"policy{policy['Path']}{name}": policy["Document"] for name, policy in sorted(listed.items())}
    text = json.dumps({"as_of": newest[:10], "documents": documents}, separators=(",", ":"), sort_keys=True)
    TARGET.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{len(documents)} policies as of {newest[:10]}, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
