# The metrics that the functions write into their logs, by CloudWatch's embedded metric format, and their units. Alarms and
# dashboard take their names from here and nowhere else; a test compares this table with the code.

locals {
  # Each is written with the dimension FunctionName, the function's name as in AWS/Lambda, which tells installations apart; and,
  # where it is about one, with FunctionName and Cluster (rebalance, drain) or FunctionName and AutoScalingGroup (rollout).
  # Those under `every` are written by each function, with FunctionName alone. Faults is always written, every other count
  # only if it is not zero. The seconds of drain are those of interruptions.
  metrics_namespace = "Evenkeel"

  metrics = {
    every = {
      Actions       = "Count"
      ActionsFailed = "Count"
      ApiCalls      = "Count"
      Blocked       = "Count"
      Faults        = "Count"
    }
    rebalance = {
      BestReachableSkew = "Percent"
      MovesCompleted    = "Count"
      MovesInFlight     = "Count"
      MovesLowerBound   = "Count"
      MovesUndone       = "Count"
      Skew              = "Percent"
    }
    drain = {
      DeadlinesExpired        = "Count"
      InstancesDraining       = "Count"
      InstancesEmpty          = "Count"
      NeedsPerson             = "Count"
      SecondsToDraining       = "Seconds"
      SecondsToEmpty          = "Seconds"
      SecondsToInService      = "Seconds"
      SecondsToSubstitute     = "Seconds"
      SecondsToTasksElsewhere = "Seconds"
    }
    rollout = {
      RolloutAge         = "Seconds"
      RolloutPercentDone = "Percent"
      RolloutsDone       = "Count"
      RolloutsRolledBack = "Count"
      RolloutsStuck      = "Count"
    }
  }

  # What stands under the name of a metric where it is used; a name that is not in the table above is an error here, and not
  # an alarm that stays silent for ever.
  metric_names = {
    for function, metrics in local.metrics : function => { for metric in keys(metrics) : metric => metric }
  }
}
