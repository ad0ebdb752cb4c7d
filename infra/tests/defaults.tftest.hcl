# What the module makes if nothing but clusters and groups is said. A provider is mocked: no account, no network.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  clusters            = ["web", "arn:aws:ecs:eu-west-1:123456789012:cluster/batch"]
  auto_scaling_groups = ["*"]
  package_directory   = "./tests/fixtures"
}

run "functions" {
  command = plan

  assert {
    condition     = { for function, it in aws_lambda_function.this : function => it.timeout } == { drain = 300, rebalance = 540, rollout = 900 }
    error_message = "Time-outs are not those that the README speaks of."
  }

  assert {
    condition = alltrue([
      for function, it in aws_lambda_function.this :
      it.function_name == "evenkeel-${function}" && it.runtime == "provided.al2023" && it.handler == "bootstrap" && it.memory_size == 256
    ])
    error_message = "A function is not named or run as promised."
  }

  assert {
    condition     = alltrue([for function, it in aws_lambda_function.this : endswith(it.filename, "/${function}-arm64.zip") && it.architectures[0] == "arm64"])
    error_message = "arm64 is the default."
  }

  assert {
    condition     = alltrue([for it in aws_lambda_function.this : it.reserved_concurrent_executions == -1])
    error_message = "Concurrency is reserved without having been asked for."
  }

  assert {
    condition     = alltrue([for it in aws_lambda_function.this : it.logging_config[0].log_format == "Text" && it.tracing_config[0].mode == "PassThrough"])
    error_message = "The functions write JSON lines themselves, and are not traced by default."
  }

  assert {
    condition     = alltrue([for function, it in aws_cloudwatch_log_group.this : it.name == "/aws/lambda/evenkeel-${function}" && it.retention_in_days == 90])
    error_message = "A log group is not named as Lambda expects, or is kept for ever."
  }

  assert {
    condition     = { for function, it in aws_lambda_function_event_invoke_config.this : function => [it.maximum_event_age_in_seconds, it.maximum_retry_attempts] } == { drain = [3600, 2], rebalance = [300, 0], rollout = [60, 0] }
    error_message = "Failed invocations are not treated as promised."
  }

  # Lambda waits for one minute before the second try and for two before the third, which begin when the one before has ended.
  assert {
    condition     = aws_lambda_function_event_invoke_config.this["drain"].maximum_event_age_in_seconds > 60 + 120 + 3 * aws_lambda_function.this["drain"].timeout
    error_message = "The last try of drain would come too late to be made."
  }

  assert {
    condition     = { for function, it in aws_lambda_function_event_invoke_config.this : function => length(it.destination_config) } == { drain = 1, rebalance = 0, rollout = 0 }
    error_message = "The queue is for what nothing mends: events that drain has failed with."
  }

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.this.message_retention_seconds == 1209600
    error_message = "The queue of lost events is not encrypted, or forgets early."
  }
}

run "environment" {
  command = plan

  assert {
    condition     = alltrue([for it in aws_lambda_function.this : it.environment[0].variables == tomap(merge(local.settings, { AWS_LAMBDA_LOG_LEVEL = "INFO" }))])
    error_message = "The environment is not the settings and the log level."
  }

  # One for each variable of settings.tf, and the clusters.
  assert {
    condition     = length(local.settings) == length(regexall("(?m)^variable ", file("./settings.tf"))) + 1
    error_message = "A setting has no environment variable, or the other way round."
  }

  assert {
    condition     = alltrue([for name, value in local.settings : startswith(name, "EVENKEEL_") && value != ""])
    error_message = "The functions refuse settings of other names, and empty ones."
  }

  assert {
    condition     = local.settings.EVENKEEL_CLUSTERS == "web,arn:aws:ecs:eu-west-1:123456789012:cluster/batch"
    error_message = "The clusters are not handed on as they were given."
  }
}

run "other_processor" {
  command = plan

  variables {
    architecture = "x86_64"
    log_level    = "debug"
    tracing      = true
    name         = "even"
  }

  assert {
    condition     = alltrue([for function, it in aws_lambda_function.this : endswith(it.filename, "/${function}-x86_64.zip") && it.architectures[0] == "x86_64"])
    error_message = "The architecture does not choose the package."
  }

  assert {
    condition     = alltrue([for function, it in aws_lambda_function.this : it.source_code_hash == filebase64sha256("./tests/fixtures/${function}-x86_64.zip")])
    error_message = "A new package would not be noticed."
  }

  assert {
    condition     = alltrue([for it in aws_lambda_function.this : it.environment[0].variables.AWS_LAMBDA_LOG_LEVEL == "DEBUG" && it.tracing_config[0].mode == "Active"])
    error_message = "Log level or tracing are not handed on."
  }
}

run "outputs" {
  command = apply

  assert {
    condition     = !output.dry_run && output.hook_timeout == "30m" && output.lifecycle_hook == "evenkeel-drain"
    error_message = "The helper is not told what it has to know."
  }

  assert {
    condition     = keys(output.function_arns) == ["drain", "rebalance", "rollout"] && output.function_names.drain == "evenkeel-drain"
    error_message = "The outputs do not name the functions."
  }

  assert {
    condition     = strcontains(output.rollout_commands.dry_run, "'{\"action\":\"start\",\"autoScalingGroup\":\"GROUP\",\"cluster\":\"CLUSTER\",\"dryRun\":true}'")
    error_message = "The command of a dry run is not what the function takes."
  }
}

run "commands_name_the_only_group" {
  command = apply

  variables {
    clusters            = ["web"]
    auto_scaling_groups = ["web-asg"]
  }

  assert {
    condition     = strcontains(output.rollout_commands.start, "'{\"action\":\"start\",\"autoScalingGroup\":\"web-asg\",\"cluster\":\"web\"}'")
    error_message = "With one group and one cluster the command can be pasted as it is."
  }
}
