# The load balancer of the sample service: HTTP as it is, HTTPS as soon as there is a certificate.

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:Access logs need a bucket that outlives the example; name yours here.
  #checkov:skip=CKV_AWS_150:Deletion protection would keep `terraform destroy` from removing an example.
  #checkov:skip=CKV2_AWS_28:A web ACL costs more a month than the load balancer's load here, and the sample serves a static page.
  #checkov:skip=CKV2_AWS_20:With a certificate port 80 redirects to HTTPS; without one there is nothing to redirect to.
  name                       = var.name
  internal                   = false
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.load_balancer.id]
  subnets                    = aws_subnet.this[*].id
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; between it and the instances traffic stays inside the VPC.
  name        = var.name
  vpc_id      = aws_vpc.this.id
  port        = 80
  protocol    = "HTTP"
  target_type = "instance"

  # The default is 300 seconds, more than twice the whole interruption notice: a task would still be draining when EC2 takes
  # its instance. `variables.tf` keeps the sum of this and the stop timeout within the notice.
  deregistration_delay = var.deregistration_delay

  # A drain waits for the new task's target before it lets the old one go, so that every second until "healthy" is taken
  # from the two minutes: two checks, ten seconds apart.
  health_check {
    path                = var.health_check_path
    matcher             = "200-399"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = var.certificate_arn == null ? "forward" : "redirect"
    target_group_arn = var.certificate_arn == null ? aws_lb_target_group.this.arn : null

    dynamic "redirect" {
      for_each = var.certificate_arn == null ? [] : [443]

      content {
        port        = redirect.value
        protocol    = "HTTPS"
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count = var.certificate_arn == null ? 0 : 1

  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
