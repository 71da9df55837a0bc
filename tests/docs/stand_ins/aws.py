"""Stand for the AWS CLI: ask the sandbox by boto3, so that an operation or option that does not exist is an error."""

import json
import sys

import boto3
from botocore import xform_name

arguments = sys.argv[1:]
if arguments[-2:] == ["--output", "json"]:
    del arguments[-2:]
service, operation, *options = arguments
client = boto3.client(service)
method = operation.replace("-", "_")
model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
names = {f"--{xform_name(name, '-')}": name for name in model.input_shape.members}
answer = getattr(client, method)(**{names[key]: value for key, value in zip(options[::2], options[1::2], strict=True)})
answer.pop("ResponseMetadata")
json.dump(answer, sys.stdout, default=lambda moment: moment.isoformat())
