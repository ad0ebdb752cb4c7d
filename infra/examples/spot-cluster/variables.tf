# Everything that can be chosen. All of it has a default: the cheapest that still shows what the example is for.

# The whole ---------------------------------------------------------------------------------------------------------------

variable "name" {
  description = "Name of the cluster, its group and everything else; at most 20 characters, since a load balancer's name has 32."
  type        = string
  default     = "spot-example"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "Expected 2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }

  validation {
    condition     = !can(regex("^(aws|ecs|fargate)", var.name))
    error_message = "A capacity provider's name cannot begin with aws, ecs or fargate."
  }
}

variable "region" {
  description = "Region of everything; null takes the one of the environment (AWS_REGION)."
  type        = string
  default     = null
}

variable "zones" {
  description = "The three zones, by name; null: the Region's first three, which in us-east-1 and others may not all be the best supplied."
  type        = list(string)
  default     = null

  validation {
    condition     = var.zones == null ? true : length(distinct(var.zones)) == 3
    error_message = "Expected three different zones."
  }
}

variable "vpc_cidr" {
  description = "Address range of the VPC; each of the three subnets gets a sixteenth of it."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "Expected an IPv4 range of /24 or larger, such as 10.20.0.0/16."
  }
}

variable "allowed_cidrs" {
  description = "Address ranges that may reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "certificate_arn" {
  description = "ACM certificate for HTTPS on port 443; null: HTTP on port 80 only."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Whether the cluster has Container Insights, which is charged for by metric."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "How long the logs of the tasks are kept."
  type        = number
  default     = 14
}

# Instances ---------------------------------------------------------------------------------------------------------------

variable "architecture" {
  description = "Processor of the container instances: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Expected arm64 or x86_64."
  }
}

variable "ami_id" {
  description = "AMI of the instances, to hold on to one or to go back to it; null: the newest ECS-optimised Amazon Linux 2023."
  type        = string
  default     = null
}

variable "instance_types" {
  description = "Comparable instance types, all of them of `architecture`; null: eleven with two vCPUs and 8 GiB or more."
  type        = list(string)
  default     = null

  validation {
    condition     = var.instance_types == null ? true : length(distinct(var.instance_types)) == length(var.instance_types)
    error_message = "An instance type is there twice."
  }
}

variable "minimum_instances" {
  description = "Least number of instances: three are one for each zone."
  type        = number
  default     = 3
}

variable "maximum_instances" {
  description = "Largest number of instances; a rollout doubles the group without counting against it."
  type        = number
  default     = 9

  validation {
    condition     = var.maximum_instances >= var.minimum_instances
    error_message = "Expected at least minimum_instances."
  }
}

variable "on_demand_base" {
  description = "Instances that are On-Demand before the first Spot Instance."
  type        = number
  default     = 0
}

variable "on_demand_percentage" {
  description = "Percent of the instances above on_demand_base that are On-Demand."
  type        = number
  default     = 0
}

variable "capacity_rebalance" {
  description = "Whether the group replaces an instance as soon as EC2 sees it at risk of an interruption."
  type        = bool
  default     = true
}

variable "root_volume_size" {
  description = "GiB of an instance's root volume; the ECS-optimised AMI needs 30."
  type        = number
  default     = 30

  validation {
    condition     = var.root_volume_size >= 30
    error_message = "Expected 30 or more."
  }
}

variable "detailed_monitoring" {
  description = "Whether EC2 reports the instances' metrics every minute instead of every five, which is charged for."
  type        = bool
  default     = false
}

# The service and the scheduled task --------------------------------------------------------------------------------------

variable "container_image" {
  description = "Image of the sample service, for `architecture`; its health check needs a shell and wget."
  type        = string
  default     = "public.ecr.aws/docker/library/nginx:1.27-alpine"
}

variable "container_port" {
  description = "Port on which the container serves HTTP."
  type        = number
  default     = 80
}

variable "health_check_path" {
  description = "Path that answers 200 to 399 when a task serves."
  type        = string
  default     = "/"
}

variable "minimum_tasks" {
  description = "Least number of tasks of the service."
  type        = number
  default     = 6
}

variable "maximum_tasks" {
  description = "Largest number of tasks of the service; one more than is ever needed, for the task that a move starts first."
  type        = number
  default     = 19

  validation {
    condition     = var.maximum_tasks > var.minimum_tasks
    error_message = "Expected more than minimum_tasks."
  }
}

variable "deregistration_delay" {
  description = "Seconds that the load balancer lets requests end on a target that leaves."
  type        = number
  default     = 30
}

variable "stop_timeout" {
  description = "Seconds from SIGTERM to SIGKILL, for every container."
  type        = number
  default     = 30

  # A new task needs about 30 seconds to be pulled, started and seen healthy, and only then the old one begins to leave.
  validation {
    condition     = var.stop_timeout >= 1 && var.stop_timeout + var.deregistration_delay <= 90
    error_message = "Expected stop_timeout + deregistration_delay to be 90 seconds or less: EC2's notice is two minutes, and the new task has to serve first."
  }
}

variable "scheduled_image" {
  description = "Image of the scheduled task, for `architecture`; it needs a shell."
  type        = string
  default     = "public.ecr.aws/docker/library/busybox:1.36"
}

variable "schedule_expression" {
  description = "When the scheduled task runs: rate(...), cron(...) or at(...)."
  type        = string
  default     = "rate(1 hour)"
}

# What a substitute takes over --------------------------------------------------------------------------------------------

variable "volumes_per_zone" {
  description = "EBS volumes in each zone for instances to attach when they boot; 0: none."
  type        = number
  default     = 0
}

variable "volume_size" {
  description = "GiB of each such volume."
  type        = number
  default     = 10
}

variable "mount_point" {
  description = "Where an instance mounts its volume."
  type        = string
  default     = "/data"

  validation {
    condition     = can(regex("^/[A-Za-z0-9/_.-]+$", var.mount_point))
    error_message = "Expected an absolute path without spaces."
  }
}

variable "addresses" {
  description = "Elastic IP addresses for instances to associate when they boot; 0: none."
  type        = number
  default     = 0
}

variable "attach_required" {
  description = "Whether an instance that could not attach everything stays out of the cluster instead of joining without."
  type        = bool
  default     = false
}

# Evenkeel ----------------------------------------------------------------------------------------------------------------

variable "evenkeel_architecture" {
  description = "Architecture that the functions were built for by `make package`; it may differ from the instances'."
  type        = string
  default     = "arm64"
}

variable "evenkeel_package_directory" {
  description = "Where the zips of `make package` are; null: where it puts them."
  type        = string
  default     = null
}

variable "evenkeel_dry_run" {
  description = "Whether Evenkeel only reports what it would do. To stop it in an emergency set the tag `evenkeel:pause` instead."
  type        = bool
  default     = false
}
