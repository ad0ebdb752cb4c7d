# Tests of the example without an account: every answer of AWS is made up here, so that what is tested is what would be asked
# for. Run `terraform test` in the example's directory. The packages are made up as well.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  evenkeel_package_directory = "../../tests/fixtures"
}

run "instances" {
  assert {
    condition     = length(distinct(output.instance_types)) >= 10 && length(distinct(output.instance_types)) == length(output.instance_types)
    error_message = "Expected ten or more distinct instance types."
  }

  assert {
    condition = alltrue([
      for override in aws_autoscaling_group.this.mixed_instances_policy[0].launch_template[0].override : try(override.weighted_capacity, null) == null || override.weighted_capacity == ""
    ])
    error_message = "A weight would make the group count units, which a rollout refuses."
  }

  assert {
    condition     = !contains(output.instance_types, "m8gd.large")
    error_message = "A type that the Region does not offer is asked for."
  }

  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required" && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 has to be required, and out of reach of containers."
  }

  assert {
    condition     = aws_launch_template.this.image_id == "ami-0123456789abcdef0" && !strcontains(aws_launch_template.this.image_id, "resolve:ssm")
    error_message = "The AMI has to stand in the template version itself."
  }

  assert {
    condition     = aws_autoscaling_group.this.mixed_instances_policy[0].launch_template[0].launch_template_specification[0].version == "7"
    error_message = "The group has to name a version, so that a plan shows the change."
  }

  assert {
    condition     = aws_autoscaling_group.this.mixed_instances_policy[0].instances_distribution[0].spot_allocation_strategy == "price-capacity-optimized"
    error_message = "Expected price-capacity-optimized."
  }

  assert {
    condition     = length(coalesce(aws_autoscaling_group.this.target_group_arns, [])) == 0 && aws_autoscaling_group.this.max_instance_lifetime == null
    error_message = "A rollout refuses groups with load balancers of their own, and a lifetime would get in its way."
  }

  assert {
    condition     = length(aws_subnet.this) == 3 && length(distinct(aws_subnet.this[*].availability_zone)) == 3
    error_message = "Expected three zones."
  }
}

run "boot" {
  assert {
    condition = alltrue([
      for line in [
        "ECS_CLUSTER=spot-example", "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true", "ECS_CONTAINER_STOP_TIMEOUT=30s",
        "ECS_IMAGE_PULL_BEHAVIOR=once",
      ] : contains(split("\n", base64decode(aws_launch_template.this.user_data)), line)
    ])
    error_message = "An agent setting is missing."
  }

  assert {
    condition     = !strcontains(base64decode(aws_launch_template.this.user_data), "attach") && length(aws_iam_role_policy.attach) == 0
    error_message = "Nothing is attached by default, and nothing may be."
  }
}

run "cooperates_with_evenkeel" {
  assert {
    condition     = aws_ecs_capacity_provider.this.auto_scaling_group_provider[0].managed_draining == "ENABLED" && aws_ecs_capacity_provider.this.auto_scaling_group_provider[0].managed_termination_protection == "DISABLED"
    error_message = "Expected managed draining without managed termination protection."
  }

  assert {
    condition     = aws_ecs_capacity_provider.this.auto_scaling_group_provider[0].managed_scaling[0].target_capacity == 100
    error_message = "Below 100 a spread cluster grows to its maximum."
  }

  assert {
    condition     = jsonencode(module.evenkeel.rollout_commands) != "" && strcontains(module.evenkeel.rollout_commands["start"], "\"autoScalingGroup\":\"${aws_autoscaling_group.this.name}\"")
    error_message = "Evenkeel has to be given the group's name."
  }

  assert {
    condition     = strcontains(module.evenkeel.rollout_commands["start"], "\"cluster\":\"${aws_ecs_cluster.this.name}\"")
    error_message = "Evenkeel has to be given the cluster's name."
  }
}

run "service_moves_within_the_notice" {
  assert {
    condition     = aws_ecs_service.web.deployment_minimum_healthy_percent == 100 && aws_ecs_service.web.deployment_maximum_percent == 200
    error_message = "A drain has to be able to start first, and all at once."
  }

  assert {
    condition     = tonumber(aws_lb_target_group.this.deregistration_delay) + jsondecode(aws_ecs_task_definition.web.container_definitions)[0].stopTimeout < 120
    error_message = "A task cannot leave within two minutes."
  }

  assert {
    condition     = [for strategy in aws_ecs_service.web.ordered_placement_strategy : "${strategy.type} ${strategy.field}"] == ["spread attribute:ecs.availability-zone", "spread instanceId"]
    error_message = "Expected spread over zones, then over instances."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.web.container_definitions)[0].portMappings[0].hostPort == 0
    error_message = "A fixed host port would let one task only run on an instance, and none start before another stops."
  }

  assert {
    condition     = aws_scheduler_schedule.report.target[0].retry_policy[0].maximum_retry_attempts > 0
    error_message = "The scheduled task has to be tried again."
  }
}

run "x86_64" {
  variables {
    architecture = "x86_64"
  }

  assert {
    condition     = length(distinct(output.instance_types)) >= 10
    error_message = "Expected ten or more distinct instance types."
  }

  assert {
    condition     = data.aws_ssm_parameter.ami[0].name == "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    error_message = "Expected the parameter of the x86_64 AMI."
  }
}

run "https" {
  variables {
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/made-up"
  }

  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && length(aws_lb_listener.https) == 1
    error_message = "Expected HTTP to redirect to HTTPS."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.load_balancer) == 2
    error_message = "Expected both ports to be open."
  }
}

run "attach" {
  variables {
    volumes_per_zone = 2
    addresses        = 3
    attach_required  = true
  }

  assert {
    condition     = length(aws_ebs_volume.this) == 6 && length(aws_eip.this) == 3 && length(aws_iam_role_policy.attach) == 1
    error_message = "Expected two volumes in each zone, three addresses, and the permission to attach them."
  }

  assert {
    condition     = alltrue([for volume in aws_ebs_volume.this : volume.encrypted && volume.tags["AttachTo"] == "spot-example"])
    error_message = "Expected encrypted volumes that the script finds by their tag."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this.user_data), "attach.sh volume address") && strcontains(base64decode(aws_launch_template.this.user_data), "AssertPathExists=/run/attached")
    error_message = "Expected the script to be installed, and the agent to wait for it."
  }

  assert {
    condition     = length(base64decode(aws_launch_template.this.user_data)) < 16384
    error_message = "User data may have 16 KiB."
  }
}

run "too_slow_to_leave" {
  command = plan

  variables {
    deregistration_delay = 60
    stop_timeout         = 60
  }

  expect_failures = [var.stop_timeout]
}

run "too_few_types" {
  command = plan

  variables {
    instance_types = ["m7g.large", "m6g.large"]
  }

  expect_failures = [check.enough_instance_types]
}
