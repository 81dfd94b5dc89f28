"""Uses keys, aliases, tags and grants through boto3, as any program would; prints what it found as JSON.

Arguments: the service's URL, and the shared credentials file of the root user and of a user without policies.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, root_file, user_file, user_arn = sys.argv[1:]


def client(file):
    with open(file) as lines:
        pairs = dict(line.replace(" ", "").strip().split("=", 1) for line in lines if "=" in line)
    return boto3.client(
        "kms",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=pairs["aws_access_key_id"],
        aws_secret_access_key=pairs["aws_secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(call, **members):
    try:
        call(**members)
    except ClientError as error:
        # The class that boto3 makes of the error's name, not only the name in the body.
        return [type(error).__name__, error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return None


root, user = client(root_file), client(user_file)
found = {}

key = root.create_key(Tags=[{"TagKey": "team", "TagValue": "pay"}])["KeyMetadata"]
other = root.create_key()["KeyMetadata"]

for n in range(7):
    root.create_alias(AliasName=f"alias/boto3/{n}", TargetKeyId=key["KeyId"])
root.update_alias(AliasName="alias/boto3/6", TargetKeyId=other["Arn"])
root.delete_alias(AliasName="alias/boto3/0")
pages = root.get_paginator("list_aliases").paginate(KeyId=key["KeyId"], PaginationConfig={"PageSize": 2})
found["aliases"] = [[alias["AliasName"] for alias in page["Aliases"]] for page in pages]
found["moved"] = root.describe_key(KeyId="alias/boto3/6")["KeyMetadata"]["KeyId"] == other["KeyId"]
found["taken"] = refused(root.create_alias, AliasName="alias/boto3/1", TargetKeyId=other["KeyId"])
found["no alias"] = refused(root.describe_key, KeyId="alias/boto3/0")

root.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": f"t{n}", "TagValue": str(n)} for n in range(5)])
root.untag_resource(KeyId=key["KeyId"], TagKeys=["t3"])
pages = root.get_paginator("list_resource_tags").paginate(KeyId=key["Arn"], PaginationConfig={"PageSize": 3})
found["tags"] = [{tag["TagKey"]: tag["TagValue"] for tag in page["Tags"]} for page in pages]
found["reserved"] = refused(root.tag_resource, KeyId=key["KeyId"], Tags=[{"TagKey": "aws:x", "TagValue": ""}])

grant = root.create_grant(
    KeyId=key["KeyId"],
    GranteePrincipal=user_arn,
    RetiringPrincipal=user_arn,
    Operations=["Encrypt", "Decrypt"],
    Constraints={"EncryptionContextSubset": {"table": "salaries"}},
    Name="boto3",
)
context = {"table": "salaries", "row": "1"}
tokens = [grant["GrantToken"]]
sealed = user.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=context, GrantTokens=tokens)
opened = user.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
found["opened"] = opened["Plaintext"].decode()
found["other context"] = refused(user.encrypt, KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"table": "x"})[0]
found["no token"] = refused(user.encrypt, KeyId=key["KeyId"], Plaintext=b"x", GrantTokens=["eA=="])
found["nobody"] = refused(
    root.create_grant, KeyId=key["KeyId"], GranteePrincipal=user_arn + "x", Operations=["Encrypt"]
)[:2]
for n in range(4):
    root.create_grant(KeyId=key["KeyId"], GranteePrincipal=user_arn, Operations=["DescribeKey"])
pages = list(root.get_paginator("list_grants").paginate(KeyId=key["KeyId"], PaginationConfig={"PageSize": 2}))
found["grants"] = [len(page["Grants"]) for page in pages]
entries = [entry for page in pages for entry in page["Grants"] if entry["Name"] == "boto3"]
found["entry"] = {name: entries[0][name] for name in ("Constraints", "Operations", "IssuingAccount", "KeyId")}
found["entry"]["KeyId"] = found["entry"]["KeyId"] == key["Arn"]
found["retirable"] = [entry["GrantId"] == grant["GrantId"] for entry in root.list_retirable_grants(RetiringPrincipal=user_arn)["Grants"]]
user.retire_grant(GrantToken=grant["GrantToken"])
found["retired"] = refused(user.encrypt, KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=context)[0]
left = root.list_grants(KeyId=key["KeyId"])["Grants"]
root.revoke_grant(KeyId=key["KeyId"], GrantId=left[0]["GrantId"])
found["revoked"] = refused(root.revoke_grant, KeyId=key["KeyId"], GrantId=left[0]["GrantId"])[:2]

found["random"] = len(root.generate_random(NumberOfBytes=100)["Plaintext"])
found["policies"] = root.list_key_policies(KeyId=key["KeyId"])["PolicyNames"]
found["policy"] = json.loads(root.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])["Id"]
pages = root.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
found["keys"] = sum(len(page["Keys"]) for page in pages)
found["keyless"] = refused(root.describe_key, KeyId="00112233-4455-6677-8899-aabbccddeeff")[:2]

json.dump(found, sys.stdout)
