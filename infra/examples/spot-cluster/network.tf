# A VPC over three zones, and who may talk to whom in it.
#
# The subnets are public, so that nothing has to be paid for a NAT gateway in each zone: an instance reaches registries and
# AWS's APIs through an address of its own, and its security group lets nobody in but the load balancer. The trade-off: one
# wrong rule in that group is open to the whole internet, where a private subnet would still have kept it shut, and each
# public address costs a little by the hour. Where private subnets are the rule, take yours, with NAT gateways or with
# interface endpoints for ecs, ecs-agent, ecs-telemetry, ecr.api, ecr.dkr and logs.

data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394:Which three zones are taken can be pinned by the variable zones; a new zone of a Region comes last by name.
  state = "available"

  # Local and Wavelength Zones have to be opted in to, and offer few instance types.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_region" "this" {}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  zones = var.zones == null ? slice(sort(data.aws_availability_zones.this.names), 0, 3) : var.zones
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs are paid for by the gigabyte and of no use to an example; turn them on in a VPC that stays.
  cidr_block           = var.vpc_cidr
  enable_dns_hostnames = true

  tags = {
    Name = var.name
  }
}

# Every VPC comes with this group, which lets its members talk to each other. Nobody is meant to be in it.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = {
    Name = var.name
  }
}

resource "aws_subnet" "this" {
  count = length(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, count.index)

  tags = {
    Name = "${var.name}-${local.zones[count.index]}"
  }
}

resource "aws_route_table" "this" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }

  tags = {
    Name = var.name
  }
}

resource "aws_route_table_association" "this" {
  count = length(local.zones)

  subnet_id      = aws_subnet.this[count.index].id
  route_table_id = aws_route_table.this.id
}

# Free of charge, and Amazon Linux's packages and the layers of images in ECR come from S3.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.this.id}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.this.id]

  tags = {
    Name = "${var.name}-s3"
  }
}

resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-load-balancer"
  description = "Load balancer: in from its users, out to the container instances"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  for_each = {
    for pair in setproduct(var.allowed_cidrs, var.certificate_arn == null ? [80] : [80, 443]) : join("-", pair) => pair
  }

  security_group_id = aws_security_group.load_balancer.id
  description       = "Users"
  cidr_ipv4         = each.value[0]
  ip_protocol       = "tcp"
  from_port         = each.value[1]
  to_port           = each.value[1]
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Tasks, on the host ports that Docker gives them"
  referenced_security_group_id = aws_security_group.instance.id
  ip_protocol                  = "tcp"
  from_port                    = local.dynamic_ports.first
  to_port                      = local.dynamic_ports.last
}

locals {
  # The two ranges that ECS documents for dynamic host ports, 32768 to 61000 and 49153 to 65535, taken together.
  dynamic_ports = { first = 32768, last = 65535 }
}

resource "aws_security_group" "instance" {
  name        = "${var.name}-instance"
  description = "Container instances: in from the load balancer only"
  vpc_id      = aws_vpc.this.id

  # A group that is in use cannot be deleted: where its description changes, the new one has to be there first.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "instance" {
  security_group_id            = aws_security_group.instance.id
  description                  = "Load balancer, to the host ports that Docker gives to tasks"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.dynamic_ports.first
  to_port                      = local.dynamic_ports.last
}

# Images, packages and AWS's APIs are all served over HTTPS. Names are resolved and clocks are set through link-local
# addresses, which no security group rules on. Tasks that call something else need a rule of their own here.
resource "aws_vpc_security_group_egress_rule" "instance" {
  security_group_id = aws_security_group.instance.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
