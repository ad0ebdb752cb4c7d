# One page that answers: is it working, are the clusters even, did interruptions leave in time, how far is the rollout?

locals {
  own_region_view = { region = local.region, view = "timeSeries", stacked = false }

  lambda_metrics = { Invocations = "Sum", Errors = "Sum", Throttles = "Sum", Duration = "Maximum", ConcurrentExecutions = "Maximum" }

  # Rows of the page. The names of clusters and groups are found by search, since with "*" nobody knows them beforehand.
  graphs = [
    {
      title     = "Skew by cluster, only what a move would improve (%)"
      function  = "rebalance", dimension = "Cluster", statistic = "Maximum", threshold = var.skew_threshold
      metrics   = [local.metric_names.rebalance.Skew, local.metric_names.rebalance.BestReachableSkew]
      label     = "threshold"
      left_axis = "%"
    },
    {
      title     = "Moves"
      function  = "rebalance", dimension = "Cluster", statistic = "Sum", threshold = null
      metrics   = [for metric in ["MovesLowerBound", "MovesInFlight", "MovesCompleted", "MovesUndone"] : local.metric_names.rebalance[metric]]
      label     = ""
      left_axis = "moves"
    },
    {
      title     = "Interruptions: seconds since the event"
      function  = "drain", dimension = "Cluster", statistic = "Maximum", threshold = 120
      metrics   = [for metric, unit in local.metrics.drain : metric if unit == "Seconds"]
      label     = "EC2 takes a Spot instance"
      left_axis = "s"
    },
    {
      title     = "Instances on their way out"
      function  = "drain", dimension = "Cluster", statistic = "Maximum", threshold = null
      metrics   = [for metric in ["InstancesDraining", "InstancesEmpty", "DeadlinesExpired"] : local.metric_names.drain[metric]]
      label     = ""
      left_axis = "instances"
    },
    {
      title     = "Rollouts: percent done"
      function  = "rollout", dimension = "AutoScalingGroup", statistic = "Maximum", threshold = null
      metrics   = [local.metric_names.rollout.RolloutPercentDone]
      label     = ""
      left_axis = "%"
    },
    {
      title     = "Rollouts: seconds under way"
      function  = "rollout", dimension = "AutoScalingGroup", statistic = "Maximum", threshold = var.rollout_alarm_after * 60 * 60
      metrics   = [local.metric_names.rollout.RolloutAge]
      label     = "alarm"
      left_axis = "s"
    },
    {
      title     = "Rollouts: ended"
      function  = "rollout", dimension = "AutoScalingGroup", statistic = "Sum", threshold = null
      metrics   = [local.metric_names.rollout.RolloutsDone, local.metric_names.rollout.RolloutsRolledBack]
      label     = ""
      left_axis = "rollouts"
    },
  ]

  graph_widgets = [
    for graph in local.graphs : {
      type = "metric", width = 12, height = 6
      properties = merge(local.own_region_view, {
        title = graph.title
        metrics = [for metric in graph.metrics : [{
          expression = "SEARCH('{${local.metrics_namespace},FunctionName,${graph.dimension}} FunctionName=\"${local.lambda_names[graph.function]}\" MetricName=\"${metric}\"', '${graph.statistic}', 300)"
          label      = "${metric} $${PROP('Dim.${graph.dimension}')}"
        }]]
        yAxis       = { left = { min = 0, label = graph.left_axis, showUnits = false } }
        annotations = { horizontal = [for threshold in compact([graph.threshold]) : { value = tonumber(threshold), label = graph.label }] }
      })
    }
  ]

  # What does not end by itself. What it is about may be unknown, so that it is shown for each function as a whole.
  person_widget = {
    type = "metric", width = 12, height = 6
    properties = merge(local.own_region_view, {
      title = "For a person to see to", stat = "Maximum", period = 300
      metrics = [
        [local.metrics_namespace, local.metric_names.drain.NeedsPerson, "FunctionName", local.lambda_names.drain, { label = "instances (drain)" }],
        [local.metrics_namespace, local.metric_names.rollout.RolloutsStuck, "FunctionName", local.lambda_names.rollout, { label = "rollouts (rollout)" }],
      ]
      yAxis = { left = { min = 0, showUnits = false } }
    })
  }

  # What every function writes, side by side.
  every_widgets = [
    for metric in keys(local.metrics.every) : {
      type = "metric", width = 8, height = 5
      properties = merge(local.own_region_view, {
        title = metric, stat = "Sum", period = 300
        metrics = [
          for function in keys(local.functions) :
          [local.metrics_namespace, metric, "FunctionName", local.lambda_names[function], { label = function }]
        ]
        yAxis = { left = { min = 0, showUnits = false } }
      })
    }
  ]

  lambda_widgets = [
    for metric, statistic in local.lambda_metrics : {
      type = "metric", width = 8, height = 5
      properties = merge(local.own_region_view, {
        title = "Lambda: ${metric}", stat = statistic, period = 300
        metrics = [
          for function in keys(local.functions) :
          ["AWS/Lambda", metric, "FunctionName", local.lambda_names[function], { label = function }]
        ]
        yAxis = { left = { min = 0, showUnits = false } }
      })
    }
  ]

  queue_widget = {
    type = "metric", width = 8, height = 5
    properties = merge(local.own_region_view, {
      title   = "Events that were lost", stat = "Maximum", period = 300
      metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.this.name]]
      yAxis   = { left = { min = 0, showUnits = false } }
    })
  }

  # Reports are log lines too: this is where to look when nothing moves.
  report_widget = {
    type = "log", width = 24, height = 8
    properties = {
      title = "Reports that are not nothingToDo", region = local.region, view = "table"
      query = join(" | ", concat(
        [for function in keys(local.functions) : "SOURCE '${aws_cloudwatch_log_group.this[function].name}'"],
        ["fields @timestamp, job, status, report", "filter message = 'report' and status != 'NothingToDo'", "sort @timestamp desc", "limit 50"],
      ))
    }
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.create_dashboard ? 1 : 0

  # CloudWatch places widgets that have no place of their own one after the other, as wide as the page is.
  dashboard_name = "${var.name}-${local.region}"
  dashboard_body = jsonencode({ widgets = concat(local.graph_widgets, [local.person_widget, local.queue_widget], local.every_widgets, local.lambda_widgets, [local.report_widget]) })
}
