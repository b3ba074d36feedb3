output "outputs" {
  description = "The outputs of the stack, such as ApiUrl, PipelinePolicyArn, OperatorPolicyArn, AlertTopicArn."
  value       = aws_cloudformation_stack.steward.outputs
}

output "api_url" {
  description = "STEWARD_API_URL of callers."
  value       = aws_cloudformation_stack.steward.outputs["ApiUrl"]
}
