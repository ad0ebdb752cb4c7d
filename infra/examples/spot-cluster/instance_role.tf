# What a container instance may do: be a container instance of this cluster and, if it is told to, attach what is tagged for
# it. Pulling images and writing logs is the task execution role's, see service.tf.

locals {
  instance_tag            = "AttachTo"
  container_instance_arns = "${local.ecs_arns}:container-instance/${aws_ecs_cluster.this.name}/*"
  ecs_arns                = "arn:${data.aws_partition.this.partition}:ecs:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}"
  ec2_arns                = "arn:${data.aws_partition.this.partition}:ec2:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}"
}

data "aws_iam_policy_document" "instance_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "instance" {
  name               = "${var.name}-instance"
  description        = "Container instances of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.instance_trust.json
}

resource "aws_iam_instance_profile" "instance" {
  name = "${var.name}-instance"
  role = aws_iam_role.instance.name
}

# The managed policy AmazonEC2ContainerServiceforEC2Role allows the same and more for every cluster of the account.
data "aws_iam_policy_document" "instance" {
  statement {
    sid = "RegisterAndReportInThisCluster"
    actions = [
      "ecs:RegisterContainerInstance",
      "ecs:DeregisterContainerInstance",
      "ecs:SubmitAttachmentStateChanges",
      "ecs:SubmitContainerStateChange",
      "ecs:SubmitTaskStateChange",
    ]
    resources = [aws_ecs_cluster.this.arn]
  }

  # UpdateContainerInstancesState is what the agent calls for itself on an interruption notice.
  statement {
    sid = "BeAnInstanceOfThisCluster"
    actions = [
      "ecs:Poll",
      "ecs:StartTelemetrySession",
      "ecs:UpdateContainerInstancesState",
    ]
    resources = [local.container_instance_arns]
  }

  statement {
    sid       = "FindTheEndpoint"
    actions   = ["ecs:DiscoverPollEndpoint"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "instance" {
  name   = "container-instance"
  role   = aws_iam_role.instance.id
  policy = data.aws_iam_policy_document.instance.json
}
