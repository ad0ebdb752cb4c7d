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
    auto_scaling_groups = { web = "web-asg", batch = "batch-asg" }
    hook_timeout        = "30m"
  }

  assert {
    condition     = output.groups == toset(["web-asg", "batch-asg"])
    error_message = "A group is left out."
  }

  assert {
    condition = alltrue([
      for key, hook in aws_autoscaling_lifecycle_hook.this :
      hook.autoscaling_group_name == "${key}-asg" && hook.heartbeat_timeout == 600 && hook.name == "evenkeel-drain" && hook.default_result == "CONTINUE" && hook.lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING"
    ])
    error_message = "The hook is not the one that Evenkeel completes."
  }
}

run "no_hook_on_a_dry_run" {
  command = plan

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = { web = "web-asg" }
    dry_run             = true
  }

  assert {
    condition     = length(aws_autoscaling_lifecycle_hook.this) == 0
    error_message = "A hook that nobody answers would hold every instance."
  }
}

run "hook_out_of_bounds" {
  command         = plan
  expect_failures = [var.name, var.heartbeat_timeout, var.auto_scaling_groups]

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = { web = "web-asg", again = "web-asg" }
    name                = "own hook"
    heartbeat_timeout   = 179
  }
}

run "held_for_no_duration" {
  command         = plan
  expect_failures = [var.hook_timeout]

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = { web = "web-asg" }
    hook_timeout        = "30"
  }
}

run "held_for_as_long_as_auto_scaling_allows" {
  command = plan

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = { web = "web-asg" }
    heartbeat_timeout   = 180
    hook_timeout        = "5h"
  }
}

run "held_for_longer_than_a_hundred_heartbeats" {
  command         = plan
  expect_failures = [var.hook_timeout]

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = { web = "web-asg" }
    heartbeat_timeout   = 180
    hook_timeout        = "18001s"
  }
}

run "held_for_longer_than_two_days" {
  command         = plan
  expect_failures = [var.hook_timeout]

  module {
    source = "./modules/lifecycle-hook"
  }

  variables {
    auto_scaling_groups = { web = "web-asg" }
    heartbeat_timeout   = 7200
    hook_timeout        = "3d"
  }
}

# ARN of the cluster and name of the group are made up by AWS, so that the plan does not know them.
run "made_together" {
  command = plan

  module {
    source = "./tests/made-together"
  }
}

run "made_together_and_applied" {
  command = apply

  module {
    source = "./tests/made-together"
  }

  assert {
    condition     = contains(output.alarm_names, "evenkeel-skew-1-web") && contains(output.alarm_names, "evenkeel-skew-2-made-up")
    error_message = "A cluster that was made together with Evenkeel is not watched."
  }

  assert {
    condition     = output.groups == toset([output.group])
    error_message = "A group that was made together with Evenkeel has no hook."
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
