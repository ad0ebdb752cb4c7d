# The hook helper and the example, as a caller would use them.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "hook" {
  command = plan

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = ["web-asg", "batch-asg"]
  }

  assert {
    condition = alltrue([
      for group, hook in aws_autoscaling_lifecycle_hook.this :
      hook.autoscaling_group_name == group && hook.name == "evenkeel-drain" && hook.default_result == "CONTINUE" && hook.lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING"
    ])
    error_message = "The hook is not the one that Evenkeel completes."
  }
}

run "hook_out_of_bounds" {
  command         = plan
  expect_failures = [var.name, var.heartbeat_timeout]

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = ["web-asg"]
    name                = "own hook"
    heartbeat_timeout   = 10
  }
}

run "install_reports_first" {
  command = apply

  module {
    source = "./examples/install"
  }

  variables {
    region             = "eu-west-1"
    cluster            = "web"
    auto_scaling_group = "web-asg"
    package_directory  = "./tests/fixtures"
  }

  assert {
    condition     = length(module.lifecycle_hook.groups) == 0
    error_message = "A hook that nobody answers would hold every instance."
  }
}

run "install" {
  command = apply

  module {
    source = "./examples/install"
  }

  variables {
    region             = "eu-west-1"
    cluster            = "web"
    auto_scaling_group = "web-asg"
    dry_run            = false
    package_directory  = "./tests/fixtures"
  }

  assert {
    condition     = module.lifecycle_hook.groups == toset(["web-asg"]) && module.lifecycle_hook.name == module.evenkeel.lifecycle_hook
    error_message = "The group has no hook that Evenkeel completes."
  }

  assert {
    condition     = strcontains(output.rollout_commands.start, "\"autoScalingGroup\":\"web-asg\",\"cluster\":\"web\"")
    error_message = "The commands do not name group and cluster."
  }
}
