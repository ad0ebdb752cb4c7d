# Optional: EBS volumes and Elastic IP addresses that outlive their instance and go over to its substitute. Both are off
# until volumes_per_zone or addresses is more than 0.
#
# They are found by the tag AttachTo = name of the cluster, which instances and their interfaces have as well: an instance
# may attach what is tagged so to what is tagged so, and nothing else. (The tag does not begin with "evenkeel:": those the
# provider hides from Terraform.)

locals {
  attached = concat(var.volumes_per_zone > 0 ? ["volume"] : [], var.addresses > 0 ? ["address"] : [])

  user_data = templatefile("${path.module}/boot/user_data.sh.tftpl", {
    cluster      = aws_ecs_cluster.this.name
    stop_timeout = var.stop_timeout
    attached     = join(" ", local.attached)
    required     = var.attach_required
    mount_point  = var.mount_point
    tag_key      = local.instance_tag
    tag_value    = var.name
    script       = chomp(file("${path.module}/boot/attach.sh"))
  })

  # A volume can only be attached in its own zone, so that each zone gets its own.
  volumes = merge([for zone in local.zones : { for number in range(var.volumes_per_zone) : "${zone}-${number}" => zone }]...)
}

resource "aws_ebs_volume" "this" {
  #checkov:skip=CKV_AWS_189:Encrypted with the account's key for EBS; a key of one's own is charged by the month.
  for_each = local.volumes

  availability_zone = each.value
  size              = var.volume_size
  type              = "gp3"
  encrypted         = true

  tags = {
    Name                 = "${var.name}-${each.key}"
    (local.instance_tag) = var.name
  }
}

resource "aws_eip" "this" {
  #checkov:skip=CKV2_AWS_19:The boot script associates the address with an instance, Terraform does not see it.
  count = var.addresses

  domain = "vpc"

  tags = {
    Name                 = "${var.name}-${count.index}"
    (local.instance_tag) = var.name
  }
}

data "aws_iam_policy_document" "attach" {
  statement {
    sid       = "Find"
    actions   = ["ec2:DescribeVolumes", "ec2:DescribeAddresses"]
    resources = ["*"]
  }

  statement {
    sid     = "AttachWhatIsTaggedForThisGroup"
    actions = ["ec2:AttachVolume", "ec2:AssociateAddress"]
    resources = [
      "${local.ec2_arns}:volume/*",
      "${local.ec2_arns}:elastic-ip/*",
      "${local.ec2_arns}:instance/*",
      "${local.ec2_arns}:network-interface/*",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.instance_tag}"
      values   = [var.name]
    }
  }
}

resource "aws_iam_role_policy" "attach" {
  count = length(local.attached) > 0 ? 1 : 0

  name   = "attach"
  role   = aws_iam_role.instance.id
  policy = data.aws_iam_policy_document.attach.json
}
