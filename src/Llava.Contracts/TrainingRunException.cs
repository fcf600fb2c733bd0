using Llava.Contracts.Requests;
using Llava.Contracts.States;

namespace Llava.Contracts;

/// <summary>A failure about a training run, with the code under which an API reports it.</summary>
/// <param name="code">Short snake_case word, stable across versions.</param>
/// <param name="message">What could not be done, to which run, and the next step.</param>
public abstract class TrainingRunException(string code, string message) : Exception(message)
{
    /// <summary>Short snake_case word, stable across versions.</summary>
    public string Code { get; } = code;
}

/// <summary>The request breaks one or more rules; all of them are listed.</summary>
public sealed class InvalidTrainingRequestException(IReadOnlyList<Finding> findings) : TrainingRunException("invalid_value",
    string.Join(" ", findings.Select(finding => $"'{finding.Field}' {finding.Message}")))
{
    /// <summary>Every rule that was broken.</summary>
    public IReadOnlyList<Finding> Findings { get; } = findings;
}

/// <summary>The tenant has no such run.</summary>
public sealed class TrainingRunNotFoundException(string run) : TrainingRunException("fine_tuning_job_not_found", $"There is no training run '{run}'; list runs to see those there are.");

/// <summary>The run is in a state from which it cannot go where it was sent.</summary>
public sealed class TrainingRunTransitionException(string run, TrainingRunState from, TrainingRunState to) : TrainingRunException("invalid_state",
    $"Training run '{run}' is {from.WireName()} and cannot become {to.WireName()}" +
    (from.IsFinal() ? "; that state is final." : $"; from there it can become {string.Join(", ", TrainingRunStates.Table.Next(from).Select(TrainingRunStates.WireName))}."))
{
    /// <summary>State the run is in.</summary>
    public TrainingRunState From { get; } = from;
}
