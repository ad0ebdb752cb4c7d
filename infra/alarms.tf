# Who looks after Evenkeel itself: an alarm for each way in which it may fail to do its work without anybody noticing. What
# each of them means, and what to do then, is a table of the README; a test compares its names with these.

locals {
  lambda_names = { for function in keys(local.functions) : function => aws_lambda_function.this[function].function_name }

  # Seconds that hold at least one run of the function's schedule, so that a period without a value is one without a run.
  periods = { for function in keys(local.functions) : function => function == "rebalance" ? max(300, var.rebalance_every * 60) : 300 }

  # What AWS counts for each function, and what each function counts itself.
  alarms_of_each = merge([
    for function, name in local.lambda_names : {
      # The next run of the schedule mends a single failure. Two of three periods are two runs of rebalance out of three.
      "${function}-errors" = {
        description         = "${name} ends with an error again and again: look for level ERROR in its log."
        namespace           = "AWS/Lambda"
        metric_name         = "Errors"
        dimensions          = { FunctionName = name }
        period              = local.periods[function]
        evaluation_periods  = 3
        datapoints_to_alarm = 2
        # There is no value without an invocation, and no error either; that none is made is for the next alarm to say.
        treat_missing_data = "notBreaching"
      }

      # A rule that was disabled, a permission that was taken away or concurrency that is used up makes no error anywhere.
      "${function}-not-invoked" = {
        description         = "${name} is not invoked although its schedule is due: see whether its rule is enabled, and whether the account has concurrency left."
        namespace           = "AWS/Lambda"
        metric_name         = "Invocations"
        dimensions          = { FunctionName = name }
        period              = local.periods[function]
        evaluation_periods  = 2
        datapoints_to_alarm = 2
        comparison          = "LessThanThreshold"
        threshold           = 1
        # Lambda writes no zeros: a function that is not invoked has no value at all.
        treat_missing_data = "breaching"
      }

      # An invocation that could look at something, and failed with the rest, is no error of Lambda's: its report says so. A
      # throttled hour or a deployment of AWS's is over by the third period.
      "${function}-faults" = {
        description         = "For ${local.periods[function] < 600 ? 30 : local.periods[function] / 20} minutes ${name} could not do part of its work: its last reports have the status failed, and say what."
        namespace           = local.metrics_namespace
        metric_name         = local.metric_names.every.Faults
        dimensions          = { FunctionName = name }
        period              = max(600, local.periods[function])
        evaluation_periods  = 3
        datapoints_to_alarm = 3
        # Every run writes this count, zero too. Without a value there was no run or it ended with an error, which the two
        # alarms above say; neither is a reason to call off what this one has said.
        treat_missing_data = "ignore"
      }

      # One change that AWS refused is usually done by the next run; on an interruption there may be no next run in time.
      "${function}-failed-actions" = {
        description         = "AWS refused changes that ${name} asked for: its reports have them under actions, each with its error."
        namespace           = local.metrics_namespace
        metric_name         = local.metric_names.every.ActionsFailed
        dimensions          = { FunctionName = name }
        period              = local.periods[function]
        evaluation_periods  = function == "drain" ? 1 : 3
        datapoints_to_alarm = function == "drain" ? 1 : 2
        # Counts of zero are not written.
        treat_missing_data = "notBreaching"
      }
    }
  ]...)

  alarms_of_one = {
    # The account's concurrency is one for all functions, and drain, which asks for it every minute, has no time to wait. For
    # the others a refusal means a later run, and many of them that they are not invoked.
    drain-throttles = {
      description        = "${local.lambda_names.drain} was refused an execution: the account's or its reserved concurrency is used up."
      namespace          = "AWS/Lambda"
      metric_name        = "Throttles"
      dimensions         = { FunctionName = local.lambda_names.drain }
      period             = 60
      treat_missing_data = "notBreaching"
    }

    dead-letters = {
      description = "Events for drain, or of the rules, were lost: read ${aws_sqs_queue.this.name}, see to the instances that its messages name, then delete them."
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.this.name }
      statistic   = "Maximum"
      period      = 60
      # SQS stops reporting on a queue that nobody has used for hours, with its messages still in it.
      treat_missing_data = "ignore"
    }

    # Counts of zero are not written, so that for all of these no value is a good one.
    drain-deadlines-expired = {
      description        = "Instances went with tasks still on them: ${local.lambda_names.drain} reports them as deadlineExpired, and what they waited for."
      namespace          = local.metrics_namespace
      metric_name        = local.metric_names.drain.DeadlinesExpired
      dimensions         = { FunctionName = local.lambda_names.drain }
      treat_missing_data = "notBreaching"
    }

    drain-needs-person = {
      description        = "There are instances that only a person can see to, orphaned or left on standby: the reports of ${local.lambda_names.drain} name them."
      namespace          = local.metrics_namespace
      metric_name        = local.metric_names.drain.NeedsPerson
      dimensions         = { FunctionName = local.lambda_names.drain }
      statistic          = "Maximum"
      treat_missing_data = "notBreaching"
    }

    rollout-age = {
      description        = "A rollout is under way for more than ${var.rollout_alarm_after} h: ask ${local.lambda_names.rollout} for its status, which says what it waits on."
      namespace          = local.metrics_namespace
      metric_name        = local.metric_names.rollout.RolloutAge
      dimensions         = { FunctionName = local.lambda_names.rollout }
      statistic          = "Maximum"
      threshold          = var.rollout_alarm_after * 60 * 60
      treat_missing_data = "notBreaching"
    }

    rollout-rolled-back = {
      description        = "A rollout was taken back: the reports of ${local.lambda_names.rollout} say why. The group has its old instances."
      namespace          = local.metrics_namespace
      metric_name        = local.metric_names.rollout.RolloutsRolledBack
      dimensions         = { FunctionName = local.lambda_names.rollout }
      treat_missing_data = "notBreaching"
    }

    # Much of what blocks a rollout, a deployment for one, is over in less than half an hour.
    rollout-stuck = {
      description         = "For half an hour a rollout could not go on by itself: ask ${local.lambda_names.rollout} for its status, which says what a person has to mend."
      namespace           = local.metrics_namespace
      metric_name         = local.metric_names.rollout.RolloutsStuck
      dimensions          = { FunctionName = local.lambda_names.rollout }
      statistic           = "Maximum"
      period              = 600
      evaluation_periods  = 3
      datapoints_to_alarm = 3
      treat_missing_data  = "notBreaching"
    }
  }

  alarm_defaults = {
    statistic           = "Sum"
    period              = 300
    evaluation_periods  = 1
    datapoints_to_alarm = 1
    threshold           = 0
    comparison          = "GreaterThanThreshold"
  }

  alarms = { for key, alarm in merge(local.alarms_of_each, local.alarms_of_one) : key => merge(local.alarm_defaults, alarm) }

  # With clusters named, each is watched by itself and has to be past the threshold all the time; the metric of all clusters
  # together can only say that at every look one of them was.
  skew_alarms = [
    for cluster in local.cluster_names : {
      suffix     = cluster == "*" ? "all" : substr(cluster, 0, 200)
      what       = cluster == "*" ? "some cluster" : "cluster ${cluster}"
      statistic  = cluster == "*" ? "Maximum" : "Minimum"
      dimensions = { for name, value in { FunctionName = local.lambda_names.rebalance, Cluster = cluster } : name => value if value != "*" }
    }
  ]

  # Two runs a period, and an hour at least in all: a move takes its time, and so does the look after it.
  skew_period = max(1200, 2 * var.rebalance_every * 60)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.alarms : key => alarm if var.create_alarms }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric_name
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = each.value.datapoints_to_alarm
  threshold           = each.value.threshold
  comparison_operator = each.value.comparison
  treat_missing_data  = each.value.treat_missing_data
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "skew" {
  # By number, since the name of a cluster of the same configuration may not be known before it is made. The number stands in
  # the name as well: with the cluster alone, an alarm that takes the place of another could be deleted under the same name.
  count = var.create_alarms ? length(var.clusters) : 0

  alarm_name          = "${var.name}-skew-${count.index + 1}-${local.skew_alarms[count.index].suffix}"
  alarm_description   = "For ${local.skew_period / 20} minutes ${local.skew_alarms[count.index].what} was more than ${var.skew_threshold} % uneven although a move would help: the report's blocked[] says why none was made."
  namespace           = local.metrics_namespace
  metric_name         = local.metric_names.rebalance.Skew
  dimensions          = local.skew_alarms[count.index].dimensions
  statistic           = local.skew_alarms[count.index].statistic
  period              = local.skew_period
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  threshold           = var.skew_threshold
  comparison_operator = "GreaterThanThreshold"

  # A period without a value is one in which the runs failed, or there were none. Other alarms say so, and of skew it says
  # nothing.
  treat_missing_data = "ignore"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
  tags               = var.tags
}
