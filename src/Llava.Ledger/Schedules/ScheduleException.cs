using Llava.Contracts.Requests;

namespace Llava.Ledger.Schedules;

/// <summary>A failure about a schedule, with the code under which an API reports it.</summary>
/// <param name="code">Short snake_case word, stable across versions.</param>
/// <param name="message">What could not be done, to which schedule, and the next step.</param>
public abstract class ScheduleException(string code, string message) : Exception(message)
{
    /// <summary>Short snake_case word, stable across versions.</summary>
    public string Code { get; } = code;
}

/// <summary>The schedule breaks one or more rules; all of them are listed.</summary>
public sealed class InvalidScheduleException(IReadOnlyList<Finding> findings) : ScheduleException("invalid_schedule",
    $"The schedule cannot be kept: {string.Join(" ", findings.Select(finding => $"{finding.Field}: {finding.Message}"))}")
{
    /// <summary>Every rule that was broken.</summary>
    public IReadOnlyList<Finding> Findings { get; } = findings;
}

/// <summary>The tenant has no schedule of this name.</summary>
public sealed class ScheduleNotFoundException(string name) : ScheduleException("schedule_not_found", $"There is no schedule '{name}'; list schedules to see those there are.");

/// <summary>The tenant has a schedule of this name already.</summary>
public sealed class ScheduleExistsException(string name) : ScheduleException("schedule_exists", $"There is a schedule '{name}' already; remove or replace it, or choose another name.");
