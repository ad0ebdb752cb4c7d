# The three functions, where they log, and what becomes of invocations that fail.

locals {
  # Each sentence is the function's description in the console.
  functions = {
    rebalance = {
      description = "Evens out the tasks of ECS services over zones and container instances, start first."
      # A minute less than from one run to the next, and nine at most: what is unfinished stands in its record, and the next
      # run goes on with it.
      timeout = min(540, var.rebalance_every * 60 - 60)
      # A run that is late by half the time to the next leaves the work to that one.
      maximum_event_age   = var.rebalance_every * 30
      retries             = 0
      keeps_failed_events = false
    }
    drain = {
      description = "Empties container instances that are going away, brings their substitutes, and lets them go."
      # An interruption lasts two minutes and a command for as long as it may; the schedule's runs end within a minute.
      timeout = 300
      # Lambda tries again one minute after the first failure and two minutes after the second. The age is there for events that
      # wait for concurrency, and long, since a hook, a termination or a recommendation is as true an hour later. A Spot notice
      # is not, but that is for the code to see: it refuses one whose deadline is over (noticeTooOld).
      maximum_event_age   = 3600
      retries             = 2
      keeps_failed_events = true
    }
    rollout = {
      description = "Replaces every instance of an Auto Scaling group, and puts everything back."
      # The longest that Lambda allows: who starts a rollout by hand sees as much of it as can be seen.
      timeout = 900
      # The schedule asks again every minute, and asking twice at once gains nothing.
      maximum_event_age   = 60
      retries             = 0
      keeps_failed_events = false
    }
  }

  package_directory = coalesce(var.package_directory, "${path.module}/../target/package")
  packages          = { for function in keys(local.functions) : function => "${local.package_directory}/${function}-${var.architecture}.zip" }
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_50:tracing is a choice of the caller, off by default since it costs; the report of a run already names every call
  # checkov:skip=CKV_AWS_115:no concurrency is reserved by default: a command sent by hand would be refused while the schedule runs, and interruptions must never wait
  # checkov:skip=CKV_AWS_116:failed asynchronous invocations go to the queue by the on-failure destination, which carries the error as well, where the next run does not mend them
  # checkov:skip=CKV_AWS_117:it talks to nothing but public AWS endpoints, and a VPC would add a NAT gateway that can fail
  # checkov:skip=CKV_AWS_173:the environment holds settings and no secret; Lambda encrypts it with its own key
  # checkov:skip=CKV_AWS_272:the packages are built from this clone by whoever installs them, and no signing profile can be assumed to exist
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = each.value.description
  role                           = aws_iam_role.this[each.key].arn
  filename                       = local.packages[each.key]
  source_code_hash               = filebase64sha256(local.packages[each.key])
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  memory_size                    = var.memory_size
  timeout                        = each.value.timeout
  reserved_concurrent_executions = lookup(var.reserved_concurrency, each.key, -1)
  tags                           = var.tags

  environment {
    variables = merge(local.settings, { AWS_LAMBDA_LOG_LEVEL = upper(var.log_level) })
  }

  # The functions write JSON lines themselves. With its own JSON format Lambda also filters by level: the lines of the metrics
  # have none, so that it takes them for INFO, and at level WARN or ERROR it would drop them.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  lifecycle {
    precondition {
      condition     = fileexists(local.packages[each.key])
      error_message = "There is no ${local.packages[each.key]}: run `make package`, or say by package_directory where it put the packages."
    }
  }

  # Without these the first invocations would fail, and with the rules in place there is one within a minute.
  depends_on = [aws_iam_role_policy.permissions, aws_iam_role_policy.runtime]
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_158:encrypted by CloudWatch Logs; a key of one's own is a choice of the caller (kms_key_arn)
  # checkov:skip=CKV_AWS_338:the logs say why a task was moved; nobody needs that for a year, and retention is a choice of the caller
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = local.functions

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_event_age_in_seconds = each.value.maximum_event_age
  maximum_retry_attempts       = each.value.retries

  # Only drain gets events that nobody sends again. What a run of the others has left undone is done by the next, and that
  # runs fail is said by the alarm on errors; in the queue they would only hide what was really lost.
  dynamic "destination_config" {
    for_each = each.value.keeps_failed_events ? [aws_sqs_queue.this.arn] : []

    content {
      on_failure {
        destination = destination_config.value
      }
    }
  }
}

# What was lost: events that EventBridge could not hand over, and those with which drain failed for good. Nothing reads it but
# people.
resource "aws_sqs_queue" "this" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RulesOfThisModule"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.this.arn
      Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.this : rule.arn] } }
    }]
  })
}
