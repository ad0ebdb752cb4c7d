# What wakes the functions: rules on the default bus, where EC2 and Auto Scaling put their events. Each hands the whole event
# on. The functions read the state of the world anew each time, so that an event twice does no harm; the schedules find what
# an event that was lost has left undone.

locals {
  every_minute = "rate(1 minute)"

  rules = {
    rebalance-schedule = {
      function    = "rebalance"
      description = "Looks at the clusters for skew."
      schedule    = "rate(${var.rebalance_every} minutes)"
      # The next run is as good as a late one.
      maximum_event_age = 60
      retries           = 0
    }

    drain-interruption = {
      function    = "drain"
      description = "EC2 takes a Spot instance in two minutes."
      pattern = {
        source      = ["aws.ec2"]
        detail-type = ["EC2 Spot Instance Interruption Warning"]
      }
      # Worth any number of tries, and none after the two minutes.
      maximum_event_age = 120
      retries           = 185
    }

    drain-recommendation = {
      function    = "drain"
      description = "EC2 sees a Spot instance at risk."
      # The function would only answer that it leaves the instance alone.
      enabled = var.on_rebalance_recommendation == "replace"
      pattern = {
        source      = ["aws.ec2"]
        detail-type = ["EC2 Instance Rebalance Recommendation"]
      }
      # Nobody finds this event again if it is lost, and it has no deadline of its own.
      maximum_event_age = 900
      retries           = 185
    }

    drain-lifecycle-action = {
      function    = "drain"
      description = "Evenkeel's hook holds an instance that its group terminates."
      pattern = {
        source      = ["aws.autoscaling"]
        detail-type = ["EC2 Instance-terminate Lifecycle Action"]
        # Hooks of others are none of Evenkeel's business.
        detail = { LifecycleHookName = [var.lifecycle_hook] }
      }
      # The schedule finds instances that a hook holds.
      maximum_event_age = 300
      retries           = 185
    }

    drain-state-change = {
      function    = "drain"
      description = "An instance has terminated, and may have left a ghost in its cluster."
      pattern = {
        source      = ["aws.ec2"]
        detail-type = ["EC2 Instance State-change Notification"]
        # No other state says that the host is gone for good.
        detail = { state = ["terminated"] }
      }
      # Nobody finds this event again if it is lost, and it is as true an hour later.
      maximum_event_age = 3600
      retries           = 185
    }

    drain-schedule = {
      function          = "drain"
      description       = "Goes on with whatever is being drained or held."
      schedule          = local.every_minute
      maximum_event_age = 60
      retries           = 0
    }

    rollout-schedule = {
      function          = "rollout"
      description       = "Goes on with every rollout that is under way, and starts none."
      schedule          = local.every_minute
      maximum_event_age = 60
      retries           = 0
    }
  }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.rules

  name                = "${var.name}-${each.key}"
  description         = each.value.description
  schedule_expression = lookup(each.value, "schedule", null)
  event_pattern       = can(each.value.pattern) ? jsonencode(each.value.pattern) : null
  state               = lookup(each.value, "enabled", true) ? "ENABLED" : "DISABLED"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = each.value.function
  arn       = aws_lambda_function.this[each.value.function].arn

  # This is about handing over to Lambda only; what an invocation that fails comes to is said with the function.
  retry_policy {
    maximum_event_age_in_seconds = each.value.maximum_event_age
    maximum_retry_attempts       = each.value.retries
  }

  dead_letter_config {
    arn = aws_sqs_queue.this.arn
  }

  # A rule that fires before it may invoke or send would lose its events.
  depends_on = [aws_lambda_permission.this, aws_sqs_queue_policy.this, aws_lambda_function_event_invoke_config.this]
}

resource "aws_lambda_permission" "this" {
  for_each = local.rules

  statement_id  = each.key
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.value.function].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}
