# Who looks after Evenkeel itself: an alarm for each way in which it may fail to do its work without anybody noticing.

locals {
  alarmed = var.create_alarms ? local.functions : {}

  # With clusters named, each is watched by itself and has to be past the threshold all the time; the metric of all clusters
  # together can only say that at every look one of them was.
  skew_alarms = merge(
    !var.create_alarms || !local.is_every_cluster ? {} : {
      all = { dimensions = { Function = "rebalance" }, statistic = "Maximum", what = "some cluster" }
    },
    !var.create_alarms || local.is_every_cluster ? {} : {
      for name in distinct(local.cluster_names) :
      name => { dimensions = { Function = "rebalance", Cluster = name }, statistic = "Minimum", what = "cluster ${name}" }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.alarmed

  alarm_name        = "${var.name}-${each.key}-errors"
  alarm_description = "${var.name}-${each.key} failed again and again: look for level ERROR in its log."
  namespace         = "AWS/Lambda"
  metric_name       = "Errors"
  dimensions        = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic         = "Sum"

  # The next run of the schedule mends a single failure, and what it does not mend reaches the queue. Two of three periods
  # are two runs of rebalance in a row.
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"

  # Without an invocation there is no value, and no error either.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}

# An invocation that could look at something, and failed with the rest, is no error of Lambda's: its report says so.
resource "aws_cloudwatch_metric_alarm" "faults" {
  for_each = local.alarmed

  alarm_name        = "${var.name}-${each.key}-faults"
  alarm_description = "For half an hour ${var.name}-${each.key} could not do part of its work: its last report has the status failed, and says what."
  namespace         = local.metrics_namespace
  metric_name       = local.metric_names.every.Faults
  dimensions        = { Function = each.key }
  statistic         = "Sum"

  # A period holds a run of each schedule; a throttled hour or a deployment of AWS's is over by then.
  period              = 600
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"

  # Counts of zero are not written.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = local.alarmed

  alarm_name          = "${var.name}-${each.key}-throttles"
  alarm_description   = "${var.name}-${each.key} was refused an execution: the account's or its reserved concurrency is used up."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"

  # Without an invocation there is no value, and nothing was refused.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  count = var.create_alarms ? 1 : 0

  alarm_name          = "${var.name}-dead-letters"
  alarm_description   = "Events were lost: read ${aws_sqs_queue.this.name}, see to their instances by hand, then delete the messages."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.this.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"

  # SQS stops reporting on a queue that nobody has used for hours, with its messages still in it.
  treat_missing_data = "ignore"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}

resource "aws_cloudwatch_metric_alarm" "rollout_age" {
  count = var.create_alarms ? 1 : 0

  alarm_name          = "${var.name}-rollout-age"
  alarm_description   = "A rollout is under way for more than ${var.rollout_alarm_after} h: ask rollout for its status, which says what it waits on."
  namespace           = local.metrics_namespace
  metric_name         = local.metric_names.rollout.RolloutAge
  dimensions          = { Function = "rollout" }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = var.rollout_alarm_after * 60 * 60
  comparison_operator = "GreaterThanThreshold"

  # Without a rollout there is no value.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}

resource "aws_cloudwatch_metric_alarm" "skew" {
  for_each = local.skew_alarms

  alarm_name        = "${var.name}-skew-${each.key}"
  alarm_description = "For an hour ${each.value.what} was more than ${var.skew_threshold} % uneven although a move would help: the report's blocked[] says why none was made."
  namespace         = local.metrics_namespace
  metric_name       = local.metric_names.rebalance.Skew
  dimensions        = each.value.dimensions
  statistic         = each.value.statistic

  # Two runs of the default schedule a period, three periods an hour.
  period              = 1200
  evaluation_periods  = 3
  threshold           = var.skew_threshold
  comparison_operator = "GreaterThanThreshold"

  # A slower schedule leaves gaps, which say nothing; that runs fail is for the alarm on errors to say.
  treat_missing_data = "ignore"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}
