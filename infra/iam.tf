# One role for each function. What a function may ask of AWS is in permissions.json, each action with the word that says how
# far it reaches; here the words become resources and conditions, by what the Service Authorization Reference lists for the
# action. What Lambda itself needs to run a function is a policy of its own.

locals {
  permissions = jsondecode(file("${path.module}/permissions.json"))

  ecs_arn_prefix     = "arn:${local.partition}:ecs:${local.region}:${local.account}"
  cluster_arn_prefix = "${local.ecs_arn_prefix}:cluster"

  is_every_cluster = var.clusters[0] == "*"
  cluster_names    = [for cluster in var.clusters : trimprefix(cluster, "${local.cluster_arn_prefix}/")]
  cluster_arns     = [for name in local.cluster_names : "${local.cluster_arn_prefix}/${name}"]
  service_arns     = [for name in local.cluster_names : "${local.ecs_arn_prefix}:service/${name}/*"]

  group_arns = [
    for name in var.auto_scaling_groups :
    "arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${name}"
  ]

  # Tags of others are none of Evenkeel's business. A condition for all values is true of no value too, so the key itself is
  # asked for beside it.
  own_tags = {
    "ForAllValues:StringLike" = { "aws:TagKeys" = ["evenkeel:*"] }
    Null                      = { "aws:TagKeys" = "false" }
  }
  own_region = { StringEquals = { "aws:RequestedRegion" = local.region } }

  scopes = {
    # AWS knows neither resource nor condition key of these actions, so that nothing but the Region limits them.
    any              = { Resource = ["*"], Condition = local.own_region }
    anyIfAllClusters = { Resource = ["*"], Condition = local.own_region }

    cluster           = { Resource = local.cluster_arns }
    service           = { Resource = local.service_arns }
    task              = { Resource = [for name in local.cluster_names : "${local.ecs_arn_prefix}:task/${name}/*"] }
    containerInstance = { Resource = [for name in local.cluster_names : "${local.ecs_arn_prefix}:container-instance/${name}/*"] }

    # A list of a whole cluster is asked of no resource: ListServices has none, and ListTasks has one only if it names a
    # container instance.
    inCluster = { Resource = ["*"], Condition = { ArnLike = { "ecs:cluster" = local.cluster_arns } } }

    # Which capacity providers a cluster has is known only once it was read, and their ARN does not say it.
    capacityProvider = { Resource = ["${local.ecs_arn_prefix}:capacity-provider/*"] }

    # EC2 resolves an AMI that a launch template names by a parameter in the name of who asks. Those of AWS are of no account.
    imageParameter = { Resource = ["arn:${local.partition}:ssm:${local.region}:*:parameter/*"] }

    group                 = { Resource = local.group_arns }
    tagOfGroup            = { Resource = local.group_arns, Condition = local.own_tags }
    tagOfServiceOrCluster = { Resource = concat(local.service_arns, local.cluster_arns), Condition = local.own_tags }
  }

  statements = {
    for function, actions in local.permissions : function => [
      for scope in sort(distinct(values(actions))) : merge(
        {
          Sid    = title(scope)
          Effect = "Allow"
          Action = [for action, its_scope in actions : action if its_scope == scope]
        },
        local.scopes[scope],
      )
      # Who names clusters has no need to list them.
      if scope != "anyIfAllClusters" || local.is_every_cluster
    ]
  }

  # What Lambda needs in the name of the function, and nothing in the code calls.
  runtime_statements = {
    for function in keys(local.functions) : function => concat(
      [
        {
          Sid      = "WriteItsLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.this[function].arn}:log-stream:*"]
        },
      ],
      [
        for queue in local.functions[function].keeps_failed_events ? [aws_sqs_queue.this.arn] : [] : {
          Sid      = "SendFailedEvents"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage"]
          Resource = [queue]
        }
      ],
      [
        for key in local.functions[function].keeps_failed_events ? compact([var.kms_key_arn]) : [] : {
          Sid      = "EncryptFailedEvents"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = [key]
        }
      ],
      [
        for action in var.tracing ? ["xray"] : [] : {
          Sid      = "SendTraces"
          Effect   = "Allow"
          Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
          Resource = ["*"]
        }
      ],
    )
  }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  # Roles are of the whole account, so that the Region is in their name.
  name                 = "${var.name}-${each.key}-${local.region}"
  description          = "Of the function ${var.name}-${each.key} in ${local.region}."
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "permissions" {
  for_each = local.functions

  name   = "permissions"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })

  lifecycle {
    # IAM's own answer to a policy that is too long does not say what to do. The rest of the 10,240 is left to the other one.
    precondition {
      condition     = length(jsonencode(local.statements[each.key])) < 9000
      error_message = "So many clusters and groups do not fit into one policy: name groups by wildcards, use [\"*\"], or install the module more than once, each under a name of its own."
    }
  }
}

resource "aws_iam_role_policy" "runtime" {
  for_each = local.functions

  name   = "runtime"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.runtime_statements[each.key] })
}
