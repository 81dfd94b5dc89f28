"""Looks at users, groups and policies through boto3, as a review would; prints what it found as JSON.

Arguments: the service's URL, and an access key id that was used for IAM last. Credentials come from the environment.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError

url, access_key_id = sys.argv[1:]
iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1")


def error_of(call, **members):
    try:
        call(**members)
    except ClientError as error:
        return error.response
    return None


users = [
    user["UserName"]
    for page in iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})
    for user in page["Users"]
]
pages = list(
    iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["User"], PaginationConfig={"PageSize": 1}
    )
)
policies = iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]
versions = [
    iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]) for policy in policies
]
nobody = error_of(iam.get_user, UserName="nobody")
conflict = error_of(iam.delete_policy, PolicyArn=policies[0]["Arn"])

json.dump(
    {
        "users": users,
        "members": [user["UserName"] for user in iam.get_group(GroupName="key-administrators")["Users"]],
        "documents": [version["PolicyVersion"]["Document"] for version in versions],
        "tags": {tag["Key"]: tag["Value"] for tag in iam.list_policy_tags(PolicyArn=policies[0]["Arn"])["Tags"]},
        "refused": [
            nobody["Error"]["Code"],
            nobody["ResponseMetadata"]["HTTPStatusCode"],
            nobody["Error"]["Message"],
        ],
        "conflict": conflict["Error"]["Code"],
        "lastUsed": iam.get_access_key_last_used(AccessKeyId=access_key_id)["AccessKeyLastUsed"]["ServiceName"],
        "usersQuota": iam.get_account_summary()["SummaryMap"]["UsersQuota"],
        "pages": len(pages),
    },
    sys.stdout,
)
