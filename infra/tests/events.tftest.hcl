# What wakes the functions, and what is watched.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  clusters          = ["web"]
  package_directory = "./tests/fixtures"
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
    rebalance_schedule          = "cron(0/15 * * * ? *)"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["drain-recommendation"].state == "ENABLED"
    error_message = "A recommendation that is to be followed has no rule."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["drain-lifecycle-action"].event_pattern).detail.LifecycleHookName == ["own-hook"] && local.settings.EVENKEEL_LIFECYCLE_HOOK == "own-hook"
    error_message = "Rule and function do not mean the same hook."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["rebalance-schedule"].schedule_expression == "cron(0/15 * * * ? *)"
    error_message = "The schedule is not handed on."
  }
}

run "alarms" {
  command = plan

  variables {
    alarm_actions       = ["arn:aws:sns:eu-west-1:123456789012:pager"]
    rollout_alarm_after = 3
    skew_threshold      = 40
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.skew), values(aws_cloudwatch_metric_alarm.faults), aws_cloudwatch_metric_alarm.rollout_age,
      ) :
      alarm.namespace == "Evenkeel" && contains(keys(merge(local.metrics.every, local.metrics[alarm.dimensions.Function])), alarm.metric_name)
    ])
    error_message = "An alarm watches a metric that no function writes."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.skew) == ["web"] && aws_cloudwatch_metric_alarm.skew["web"].threshold == 40 && aws_cloudwatch_metric_alarm.skew["web"].dimensions.Cluster == "web"
    error_message = "A cluster's skew is not watched by the threshold of the setting."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.rollout_age[0].threshold == 10800
    error_message = "Hours are not turned into seconds."
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.errors), values(aws_cloudwatch_metric_alarm.faults), values(aws_cloudwatch_metric_alarm.throttles), values(aws_cloudwatch_metric_alarm.skew),
        aws_cloudwatch_metric_alarm.dead_letters, aws_cloudwatch_metric_alarm.rollout_age,
      ) : alarm.alarm_actions == toset(var.alarm_actions)
    ])
    error_message = "An alarm tells nobody."
  }

  assert {
    condition = alltrue(flatten([
      for metrics in local.metrics : [for metric in keys(metrics) : strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, metric)]
    ]))
    error_message = "The dashboard leaves a metric out."
  }
}

run "every_cluster" {
  command = plan

  variables {
    clusters = ["*"]
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.skew) == ["all"] && aws_cloudwatch_metric_alarm.skew["all"].dimensions == tomap({ Function = "rebalance" })
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
