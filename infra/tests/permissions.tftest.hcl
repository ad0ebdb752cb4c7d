# What the roles may do: exactly permissions.json, and no farther than to the named clusters and groups.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  clusters            = ["web", "arn:aws:ecs:eu-west-1:123456789012:cluster/batch"]
  auto_scaling_groups = ["web-*"]
  package_directory   = "./tests/fixtures"
}

run "named_clusters" {
  command = plan

  assert {
    condition = alltrue([
      for function, actions in jsondecode(file("./permissions.json")) :
      toset(flatten(jsondecode(aws_iam_role_policy.permissions[function].policy).Statement[*].Action)) == toset([for action in keys(actions) : action if action != "ecs:ListClusters"])
    ])
    error_message = "A policy does not grant what permissions.json says; ListClusters is only for `*`."
  }

  assert {
    condition     = !anytrue([for action in flatten(jsondecode(aws_iam_role_policy.permissions["rebalance"].policy).Statement[*].Action) : startswith(action, "autoscaling:")])
    error_message = "rebalance has nothing to do with Auto Scaling."
  }

  assert {
    condition = length(setintersection(
      flatten(jsondecode(aws_iam_role_policy.permissions["drain"].policy).Statement[*].Action),
      ["autoscaling:UpdateAutoScalingGroup", "autoscaling:SetDesiredCapacity", "autoscaling:CreateOrUpdateTags", "ecs:UpdateService", "ecs:TagResource"],
    )) == 0
    error_message = "drain may change sizes, services or tags."
  }

  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.permissions : alltrue([
        for statement in jsondecode(policy.policy).Statement : !strcontains(jsonencode(statement.Action), "*")
      ])
    ])
    error_message = "An action is granted by a wildcard."
  }

  # A resource of `*` is limited by the cluster, and by nothing but the Region only where AWS knows no more.
  assert {
    condition = alltrue(flatten([
      for function, policy in aws_iam_role_policy.permissions : [
        for statement in jsondecode(policy.policy).Statement : [
          for action in statement.Action : {
            any       = try(statement.Condition.StringEquals["aws:RequestedRegion"], "") == "eu-west-1"
            inCluster = can(statement.Condition.ArnLike["ecs:cluster"])
          }[local.permissions[function][action]]
        ] if contains(statement.Resource, "*")
      ]
    ]))
    error_message = "A statement reaches further than its scope."
  }

  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.permissions : alltrue([
        for statement in jsondecode(policy.policy).Statement : try(statement.Condition.ArnLike["ecs:cluster"], []) == [
          "arn:aws:ecs:eu-west-1:123456789012:cluster/web", "arn:aws:ecs:eu-west-1:123456789012:cluster/batch",
        ] if contains(statement.Action, "ecs:ListTasks")
      ])
    ])
    error_message = "Tasks of other clusters may be listed."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.permissions["rebalance"].policy).Statement : it.Resource if contains(it.Action, "ecs:UpdateService")]) == ["arn:aws:ecs:eu-west-1:123456789012:service/web/*", "arn:aws:ecs:eu-west-1:123456789012:service/batch/*"]
    error_message = "Services of other clusters may be changed."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.permissions["drain"].policy).Statement : it.Resource if contains(it.Action, "autoscaling:DetachInstances")]) == ["arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/web-*"]
    error_message = "Other groups may be changed."
  }

  assert {
    condition = alltrue([
      for function, action in { rebalance = "ecs:TagResource", rollout = "autoscaling:DeleteTags" } : alltrue([
        for it in jsondecode(aws_iam_role_policy.permissions[function].policy).Statement :
        it.Condition["ForAllValues:StringLike"]["aws:TagKeys"] == ["evenkeel:*"] && it.Condition["Null"]["aws:TagKeys"] == "false" if contains(it.Action, action)
      ])
    ])
    error_message = "Tags of others may be changed."
  }
}

run "every_cluster" {
  command = plan

  variables {
    clusters            = ["*"]
    auto_scaling_groups = ["*"]
  }

  assert {
    condition = alltrue([
      for function, actions in jsondecode(file("./permissions.json")) :
      toset(flatten(jsondecode(aws_iam_role_policy.permissions[function].policy).Statement[*].Action)) == toset(keys(actions))
    ])
    error_message = "With `*` everything in permissions.json is granted."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.permissions["drain"].policy).Statement : it.Resource if contains(it.Action, "ecs:StopTask")]) == ["arn:aws:ecs:eu-west-1:123456789012:task/*/*"]
    error_message = "The wildcard does not reach the tasks."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.permissions["rebalance"].policy).Statement : it.Condition.ArnLike["ecs:cluster"] if contains(it.Action, "ecs:ListServices")]) == ["arn:aws:ecs:eu-west-1:123456789012:cluster/*"]
    error_message = "The wildcard does not reach the lists."
  }

  assert {
    condition     = local.settings.EVENKEEL_CLUSTERS == "*"
    error_message = "The functions are not told that every cluster is meant."
  }
}

run "what_lambda_needs" {
  command = apply

  # Each rule with an ARN of its own, or else one of them would do for all.
  override_resource {
    target = aws_cloudwatch_event_rule.this["drain-interruption"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-drain-interruption" }
  }

  override_resource {
    target = aws_cloudwatch_event_rule.this["drain-lifecycle-action"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-drain-lifecycle-action" }
  }

  override_resource {
    target = aws_cloudwatch_event_rule.this["drain-recommendation"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-drain-recommendation" }
  }

  override_resource {
    target = aws_cloudwatch_event_rule.this["drain-schedule"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-drain-schedule" }
  }

  override_resource {
    target = aws_cloudwatch_event_rule.this["drain-state-change"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-drain-state-change" }
  }

  override_resource {
    target = aws_cloudwatch_event_rule.this["rebalance-schedule"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-rebalance-schedule" }
  }

  override_resource {
    target = aws_cloudwatch_event_rule.this["rollout-schedule"]
    values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-rollout-schedule" }
  }

  variables {
    tracing     = true
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  # Only drain sends away what failed.
  assert {
    condition = alltrue([
      for function, policy in aws_iam_role_policy.runtime : toset(flatten(jsondecode(policy.policy).Statement[*].Action)) == toset(concat(
        ["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        function == "drain" ? ["kms:Decrypt", "kms:GenerateDataKey", "sqs:SendMessage"] : [],
      ))
    ])
    error_message = "A function could not log, be traced, or send away what failed, or may do so in vain."
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn && alltrue([for it in aws_cloudwatch_log_group.this : it.kms_key_id == var.kms_key_arn])
    error_message = "The key is not used for queue and logs."
  }

  assert {
    condition = toset(jsondecode(aws_sqs_queue_policy.this.policy).Statement[0].Condition.ArnEquals["aws:SourceArn"]) == toset([
      for key in keys(local.rules) : "arn:aws:events:eu-west-1:123456789012:rule/evenkeel-${key}"
    ])
    error_message = "A rule cannot send what it could not hand over, or others may write into the queue."
  }
}
