using Llava.Contracts.Requests;
using Llava.Contracts.States;

namespace Llava.Contracts;

/// <summary>A failure about a job that says what could not be done, to which job, and under which code an API reports it.</summary>
/// <param name="code">Short snake_case word, stable across versions.</param>
/// <param name="message">What could not be done, to which thing, with which value, and the next step.</param>
/// <param name="inner">The cause, if another failure was.</param>
public abstract class JobException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Short snake_case word, stable across versions.</summary>
    public string Code { get; } = code;
}

/// <summary>The request breaks one or more rules; all of them are listed.</summary>
public sealed class InvalidJobRequestException(IReadOnlyList<Finding> findings) : JobException("invalid_request",
    $"The job cannot be accepted: {string.Join(" ", findings.Select(f => $"{f.Field}: {f.Message}"))}")
{
    /// <summary>Every rule that was broken.</summary>
    public IReadOnlyList<Finding> Findings { get; } = findings;
}

/// <summary>The ledger holds no such job.</summary>
public sealed class JobNotFoundException(JobId job) : JobException("job_not_found", $"There is no job '{job}'; list jobs to see those there are.");

/// <summary>The job is in a state from which it cannot go where it was sent.</summary>
public sealed class JobTransitionException(JobId job, JobState from, JobState to) : JobException("job_state_conflict",
    $"Job '{job}' is {from.WireName()} and cannot become {to.WireName()}" +
    (JobStates.Table.IsFinal(from) ? "; that state is final." : $"; from there it can become {string.Join(", ", JobStates.Table.Next(from).Select(s => s.WireName()))}."))
{
    /// <summary>State the job is in.</summary>
    public JobState From { get; } = from;

    /// <summary>State it was sent to.</summary>
    public JobState To { get; } = to;
}

/// <summary>The job's items cannot be tried again, not now or not at all.</summary>
public sealed class RetryRefusedException(JobId job, JobState state) : JobException("job_state_conflict",
    $"Items of job '{job}' cannot be tried again: it is {state.WireName()}. " + (state.IsFinal()
        ? "Its source was not read to the end; submit it anew."
        : "Wait until it is queued, running, paused or over."))
{
    /// <summary>State the job is in.</summary>
    public JobState State { get; } = state;
}

/// <summary>The same idempotency key came before with a different request.</summary>
public sealed class IdempotencyConflictException(string key, JobId job) : JobException("idempotency_conflict",
    $"The idempotency key '{key}' already made job '{job}' from a different request; use a new key for a new job.");
