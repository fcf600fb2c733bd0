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
        : state is JobState.Finalizing or JobState.Cancelling ? "Wait until it is over." : "Its source is not read to the end yet; wait for that."))
{
    /// <summary>State the job is in.</summary>
    public JobState State { get; } = state;
}

/// <summary>The job takes no further source: it was closed, was never open, or is over.</summary>
public sealed class JobClosedException(JobId job, JobState state) : JobException("job_closed",
    $"Nothing can be added to job '{job}', which is {state.WireName()} and not open; submit another job, with 'open' when more is to follow.");

/// <summary>The job has as many parts as a job may have.</summary>
public sealed class TooManyPartsException(JobId job, int most) : JobException("too_many_parts",
    $"Job '{job}' has {most} parts already, the most a job may have; close it and open another, or list more items in one source.");

/// <summary>The same idempotency key came before for another source.</summary>
public sealed class PartConflictException(string key, JobId job, int part) : JobException("idempotency_conflict",
    $"The idempotency key '{key}' already added part {part} to job '{job}' from a different source; use a new key for a new part.");

/// <summary>The same idempotency key came before with a different request.</summary>
public sealed class IdempotencyConflictException(string key, JobId job) : JobException("idempotency_conflict",
    $"The idempotency key '{key}' already made job '{job}' from a different request; use a new key for a new job.");
