# What wakes the functions, and what is watched.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  clusters            = ["web"]
  auto_scaling_groups = ["web-asg"]
  package_directory   = "./tests/fixtures"
}

run "rules" {
  command = plan

  assert {
    condition = { for key, rule in aws_cloudwatch_event_rule.this : key => rule.state } == {
      drain-interruption = "ENABLED", drain-lifecycle-action = "ENABLED", drain-recommendation = "DISABLED"
      drain-schedule     = "ENABLED", drain-state-change = "ENABLED"
      rebalance-schedule = "ENABLED", rollout-schedule = "ENABLED"
    }
    error_message = "Rules are missing, or a recommendation does something by default."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["drain-lifecycle-action"].event_pattern).detail.LifecycleHookName == ["evenkeel-drain"]
    error_message = "Hooks of others are answered."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["drain-state-change"].event_pattern).detail.state == ["terminated"]
    error_message = "The function is woken for states that it does nothing about."
  }

  assert {
    condition = { for key, rule in aws_cloudwatch_event_rule.this : key => rule.schedule_expression if rule.schedule_expression != null } == {
      drain-schedule = "rate(1 minute)", rebalance-schedule = "rate(10 minutes)", rollout-schedule = "rate(1 minute)"
    }
    error_message = "Schedules are not those that the README speaks of."
  }

  # The functions tell events by their envelope.
  assert {
    condition     = alltrue([for it in aws_cloudwatch_event_target.this : it.input == null && it.input_path == null && length(it.input_transformer) == 0])
    error_message = "A target does not get the whole event."
  }

  assert {
    condition     = alltrue([for key, it in aws_cloudwatch_event_target.this : startswith(key, "${it.target_id}-") && length(it.dead_letter_config) == 1])
    error_message = "A rule wakes another function than its name says, or loses events."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this["drain-interruption"].retry_policy[0].maximum_event_age_in_seconds == 120
    error_message = "A Spot notice is handed over after its two minutes."
  }
}

run "recommendation_and_hook" {
  command = plan

  variables {
    on_rebalance_recommendation = "replace"
    lifecycle_hook              = "own-hook"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["drain-recommendation"].state == "ENABLED"
    error_message = "A recommendation that is to be followed has no rule."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["drain-lifecycle-action"].event_pattern).detail.LifecycleHookName == ["own-hook"] && local.settings.EVENKEEL_LIFECYCLE_HOOK == "own-hook"
    error_message = "Rule and function do not mean the same hook."
  }
}

run "seldom" {
  command = plan

  variables {
    rebalance_every = 60
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["rebalance-schedule"].schedule_expression == "rate(60 minutes)" && aws_lambda_function.this["rebalance"].timeout == 540
    error_message = "The rule does not follow rebalance_every, or a run lasts longer than nine minutes."
  }

  # A period in which no run is due has no value, which would look like a function that is not invoked.
  assert {
    condition = alltrue([
      for key, alarm in aws_cloudwatch_metric_alarm.this : alarm.period == (startswith(key, "rebalance-") ? 3600 : local.alarms[key].period)
    ]) && alltrue([for alarm in aws_cloudwatch_metric_alarm.skew : alarm.period == 7200])
    error_message = "An alarm of rebalance looks for a run where none is due."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.this["rebalance-faults"].alarm_description, "For 180 minutes") && strcontains(aws_cloudwatch_metric_alarm.skew[0].alarm_description, "For 360 minutes")
    error_message = "An alarm does not say how long it has waited."
  }

  # CloudWatch looks back for a day at most, and for a week where a period has an hour or more.
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), aws_cloudwatch_metric_alarm.skew) : alarm.period % 60 == 0 && alarm.period * alarm.evaluation_periods <= 86400])
    error_message = "CloudWatch would refuse an alarm."
  }
}

run "often" {
  command = plan

  variables {
    rebalance_every = 2
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["rebalance-schedule"].schedule_expression == "rate(2 minutes)" && aws_lambda_function.this["rebalance"].timeout == 60
    error_message = "A run would meet the next one."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.this["rebalance"].maximum_event_age_in_seconds == 60
    error_message = "Lambda allows no age below a minute, and a late run would meet the next one."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["rebalance-faults"].period == 600 && aws_cloudwatch_metric_alarm.this["rebalance-errors"].period == 300 && aws_cloudwatch_metric_alarm.skew[0].period == 1200
    error_message = "Where runs are frequent an alarm goes off earlier than it says."
  }
}

run "alarms" {
  command = plan

  variables {
    alarm_actions       = ["arn:aws:sns:eu-west-1:123456789012:pager"]
    name                = "even"
    rollout_alarm_after = 3
    skew_threshold      = 40
  }

  # Metric, statistic, seconds, how many of how many periods, threshold, and what a period without a value is.
  assert {
    condition = {
      for key, it in aws_cloudwatch_metric_alarm.this : key =>
      "${it.metric_name} ${it.statistic} ${it.period} ${it.datapoints_to_alarm}/${it.evaluation_periods} ${it.comparison_operator} ${it.threshold} ${it.treat_missing_data}"
      } == {
      drain-errors             = "Errors Sum 300 2/3 GreaterThanThreshold 0 notBreaching"
      rebalance-errors         = "Errors Sum 600 2/3 GreaterThanThreshold 0 notBreaching"
      rollout-errors           = "Errors Sum 300 2/3 GreaterThanThreshold 0 notBreaching"
      drain-not-invoked        = "Invocations Sum 300 2/2 LessThanThreshold 1 breaching"
      rebalance-not-invoked    = "Invocations Sum 600 2/2 LessThanThreshold 1 breaching"
      rollout-not-invoked      = "Invocations Sum 300 2/2 LessThanThreshold 1 breaching"
      drain-faults             = "Faults Sum 600 3/3 GreaterThanThreshold 0 ignore"
      rebalance-faults         = "Faults Sum 600 3/3 GreaterThanThreshold 0 ignore"
      rollout-faults           = "Faults Sum 600 3/3 GreaterThanThreshold 0 ignore"
      drain-failed-actions     = "ActionsFailed Sum 300 1/1 GreaterThanThreshold 0 notBreaching"
      rebalance-failed-actions = "ActionsFailed Sum 600 2/3 GreaterThanThreshold 0 notBreaching"
      rollout-failed-actions   = "ActionsFailed Sum 300 2/3 GreaterThanThreshold 0 notBreaching"
      drain-throttles          = "Throttles Sum 60 1/1 GreaterThanThreshold 0 notBreaching"
      dead-letters             = "ApproximateNumberOfMessagesVisible Maximum 60 1/1 GreaterThanThreshold 0 ignore"
      drain-deadlines-expired  = "DeadlinesExpired Sum 300 1/1 GreaterThanThreshold 0 notBreaching"
      drain-needs-person       = "NeedsPerson Maximum 300 1/1 GreaterThanThreshold 0 notBreaching"
      rollout-age              = "RolloutAge Maximum 300 1/1 GreaterThanThreshold 10800 notBreaching"
      rollout-rolled-back      = "RolloutsRolledBack Sum 300 1/1 GreaterThanThreshold 0 notBreaching"
      rollout-stuck            = "RolloutsStuck Maximum 600 3/3 GreaterThanThreshold 0 notBreaching"
    }
    error_message = "An alarm is missing, or goes off at something else than the README says."
  }

  # Whose metric it is stands in the alarm's name.
  assert {
    condition = alltrue([
      for key, it in aws_cloudwatch_metric_alarm.this :
      it.alarm_name == "even-${key}" && (key == "dead-letters" ? it.dimensions == tomap({ QueueName = "even-dead-letters" }) : it.dimensions == tomap({ FunctionName = "even-${split("-", key)[0]}" }))
    ])
    error_message = "An alarm watches another function than its name says, or another installation."
  }

  assert {
    condition = alltrue([
      for key, it in aws_cloudwatch_metric_alarm.this :
      it.namespace == "AWS/Lambda" ? contains(["Errors", "Invocations", "Throttles"], it.metric_name) : (
        key == "dead-letters" || it.namespace == "Evenkeel" && contains(keys(merge(local.metrics.every, lookup(local.metrics, split("-", key)[0], {}))), it.metric_name)
      )
    ])
    error_message = "An alarm watches a metric that nobody writes."
  }

  assert {
    condition = alltrue([
      for key in keys(aws_cloudwatch_metric_alarm.this) :
      strcontains(file("./README.md"), "\n| `${replace(key, "/^(rebalance|drain|rollout)-(errors|not-invoked|faults|failed-actions)$/", "FUNCTION-$2")}` |")
    ])
    error_message = "The README does not say what to do about an alarm."
  }

  assert {
    condition = [for it in aws_cloudwatch_metric_alarm.skew : [it.alarm_name, it.statistic, tostring(it.threshold), tostring(it.period)]] == [["even-skew-1-web", "Minimum", "40", "1200"]] && aws_cloudwatch_metric_alarm.skew[0].dimensions == tomap({
      FunctionName = "even-rebalance", Cluster = "web"
    })
    error_message = "A cluster's skew is not watched by the threshold of the setting."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.this), aws_cloudwatch_metric_alarm.skew) : alarm.alarm_actions == toset(var.alarm_actions)
    ])
    error_message = "An alarm tells nobody."
  }

  assert {
    condition     = length(output.alarm_names) == length(aws_cloudwatch_metric_alarm.this) + 1
    error_message = "The output leaves an alarm out."
  }

  assert {
    condition = alltrue(flatten([
      for metrics in local.metrics : [for metric in keys(metrics) : strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, metric)]
    ]))
    error_message = "The dashboard leaves a metric out."
  }

  # Two installations write metrics of the same names.
  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : alltrue([
        for metric in try(widget.properties.metrics, []) : strcontains(jsonencode(metric), "even-")
      ])
    ]) && !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "\"Function\"")
    error_message = "The dashboard shows the metrics of another installation."
  }
}

run "every_cluster" {
  command = plan

  variables {
    clusters = ["*"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.skew[*].alarm_name == ["evenkeel-skew-1-all"] && aws_cloudwatch_metric_alarm.skew[0].statistic == "Maximum" && aws_cloudwatch_metric_alarm.skew[0].dimensions == tomap({ FunctionName = "evenkeel-rebalance" })
    error_message = "With `*` all clusters are watched together."
  }
}

run "neither_alarms_nor_dashboard" {
  command = plan

  variables {
    create_alarms    = false
    create_dashboard = false
  }

  assert {
    condition     = length(output.alarm_names) == 0 && output.dashboard_name == null
    error_message = "Something is made that was not wanted."
  }
}
