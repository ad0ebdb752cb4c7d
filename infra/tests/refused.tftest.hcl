# What a plan refuses, so that no function is ever installed that would answer each invocation with an error.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  clusters            = ["web"]
  auto_scaling_groups = ["web-asg"]
  package_directory   = "./tests/fixtures"
}

run "no_cluster" {
  command         = plan
  expect_failures = [var.clusters]
  variables { clusters = [] }
}

run "star_beside_names" {
  command         = plan
  expect_failures = [var.clusters]
  variables { clusters = ["web", "*"] }
}

run "no_name_of_a_cluster" {
  command         = plan
  expect_failures = [var.clusters]
  variables { clusters = ["web,batch"] }
}

run "cluster_of_another_region" {
  command         = plan
  expect_failures = [var.clusters]
  variables { clusters = ["arn:aws:ecs:us-east-1:123456789012:cluster/web"] }
}

run "cluster_twice" {
  command         = plan
  expect_failures = [var.clusters]
  variables { clusters = ["web", "arn:aws:ecs:eu-west-1:123456789012:cluster/web"] }
}

run "more_often_than_a_run_may_last" {
  command         = plan
  expect_failures = [var.rebalance_every]
  variables { rebalance_every = 1 }
}

run "half_a_minute" {
  command         = plan
  expect_failures = [var.rebalance_every]
  variables { rebalance_every = 2.5 }
}

run "no_group" {
  command         = plan
  expect_failures = [var.auto_scaling_groups]
  variables { auto_scaling_groups = [] }
}

run "duration_without_unit" {
  command         = plan
  expect_failures = [var.poll_interval]
  variables { poll_interval = "5" }
}

run "duration_past_its_bound" {
  command         = plan
  expect_failures = [var.rollout_timeout]
  variables { rollout_timeout = "8d" }
}

run "number_past_its_bound" {
  command         = plan
  expect_failures = [var.skew_threshold]
  variables { skew_threshold = 0 }
}

run "half_a_number" {
  command         = plan
  expect_failures = [var.canary]
  variables { canary = 1.5 }
}

run "unknown_word" {
  command         = plan
  expect_failures = [var.replacement, var.move_strategy]
  variables {
    replacement   = "reboot"
    move_strategy = "Surge"
  }
}

run "empty_hook" {
  command         = plan
  expect_failures = [var.lifecycle_hook]
  variables { lifecycle_hook = " " }
}

run "group_that_is_a_policy_variable" {
  command         = plan
  expect_failures = [var.auto_scaling_groups]
  variables { auto_scaling_groups = ["$${aws:username}"] }
}

run "interruptions_that_would_wait" {
  command         = plan
  expect_failures = [var.reserved_concurrency]
  variables { reserved_concurrency = { drain = 1 } }
}

run "names_and_numbers_of_aws" {
  command         = plan
  expect_failures = [var.name, var.architecture, var.memory_size, var.log_retention_days, var.log_level, var.rebalance_every, var.rollout_alarm_after]
  variables {
    name                = "even keel"
    architecture        = "arm"
    memory_size         = 100
    log_retention_days  = 100
    log_level           = "loud"
    rebalance_every     = 61
    rollout_alarm_after = 0
  }
}

run "no_package" {
  command         = plan
  expect_failures = [aws_lambda_function.this]
  variables { package_directory = "./tests/nowhere" }
}

run "more_clusters_than_a_policy_holds" {
  command         = plan
  expect_failures = [aws_iam_role_policy.permissions]
  variables { clusters = [for number in range(60) : "a-cluster-with-a-rather-long-name-${number}"] }
}
