using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Hosting.Paths;
using Llava.Ledger.Jobs;
using Llava.Ledger.Promotions;
using Llava.Ledger.Scores;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Training;

/// <summary>
/// Has a model that was trained, and the one whose name it is to take over, answer the same questions as two ordinary jobs, and moves the name if the new one is
/// good enough. Everything is found again by the jobs' keys, so that any scheduler may take any step, twice too.
/// </summary>
internal sealed partial class PromotionLoop(
    PromotionStore promotions, TrainingRuns runs, JobSubmission jobs, JobReader reader, AllowedRoots roots, SchedulerOptions options, ILedgerSignal signal, ILogger<PromotionLoop> logger) : BackgroundService
{
    private static readonly TimeSpan WhileAsked = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.TrainingChanged);
        while (true)
        {
            var isWaiting = await AdvanceAsync(stoppingToken);
            await listener.WaitAsync(isWaiting ? WhileAsked : Poll, stoppingToken);
        }
    }

    /// <summary>Takes each promotion a step further.</summary>
    /// <returns>Whether there is one that has to be looked at again.</returns>
    private async Task<bool> AdvanceAsync(CancellationToken cancellation)
    {
        try
        {
            // One after the other for each name: the next is compared with what this one leaves.
            var waiting = (await promotions.ListWaitingAsync(cancellation)).DistinctBy(promotion => (promotion.Tenant, promotion.Name)).ToList();
            foreach (var promotion in waiting)
            {
                await TryAdvanceAsync(promotion, cancellation);
            }

            return waiting.Count > 0;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            LookFailed(failure);
            return true;
        }
    }

    /// <summary>One that cannot be looked after waits for the next time, and holds up no other.</summary>
    private async Task TryAdvanceAsync(PromotionRecord promotion, CancellationToken cancellation)
    {
        try
        {
            await AdvanceAsync(promotion, cancellation);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            AdvanceFailed(promotion.Name, promotion.Model, failure);
        }
    }

    private async Task AdvanceAsync(PromotionRecord promotion, CancellationToken cancellation)
    {
        var run = await runs.ReadAsync(promotion.Run, null, cancellation);
        if (options.TrustSchedules)
        {
            roots.Allow(run.Request.Promotion!.Evaluate.Source.Folders());
        }

        var before = await promotions.TargetAsync(promotion.Tenant, promotion.Name, cancellation) ?? run.Request.Model;
        if (await VerdictAsync(run, promotion.Model, before, cancellation) is { } verdict)
        {
            await promotions.DecideAsync(promotion, verdict, cancellation);
            Judged(promotion.Name, promotion.Model, verdict.Holds, verdict.Reason);
        }
    }

    /// <summary>Compares what both models answered; null while they are still asked.</summary>
    private async Task<PromotionVerdict?> VerdictAsync(TrainingRunRecord run, string made, string before, CancellationToken cancellation)
    {
        try
        {
            var (ofMade, ofBefore) = (await AskAsync(run, made, "made", cancellation), await AskAsync(run, before, "before", cancellation));
            return (ofMade.Failure ?? ofBefore.Failure) is { } failure ? new(false, failure)
                : (ofMade.Score, ofBefore.Score) is ({ } one, { } other) ? PromotionGate.Judge(run.Request.Promotion!, one, other)
                : null;
        }
        catch (JobException refused) when (refused is InvalidJobRequestException or IdempotencyConflictException)
        {
            return new(false, refused.Message);
        }
    }

    /// <summary>Has a model answer the questions.</summary>
    /// <returns>Its score, or why there is none; neither while it is still asked.</returns>
    private async Task<(JobScore? Score, string? Failure)> AskAsync(TrainingRunRecord run, string model, string part, CancellationToken cancellation)
    {
        var request = run.Request.Promotion!.Evaluate with { Model = model, Tenant = run.Request.Tenant, IdempotencyKey = $"promotion:{run.Id}:{part}" };
        var (id, _) = await jobs.SubmitAsync(request, cancellation);
        var job = await reader.ReadAsync(id, cancellation);
        if (!job.State.IsFinal())
        {
            return default;
        }

        return job.State == JobState.Completed && (await reader.ProgressAsync(id, cancellation)).Score is { } score
            ? (score, null)
            : (null, $"the questions were not answered: job {id} is {job.State.WireName()}{(job.Failure is { } failure ? $" ({failure.Message})" : "")}");
    }

    [LoggerMessage(4074, LogLevel.Information, "Name {Name} and model {Model}: {Holds}, {Reason}")]
    private partial void Judged(string name, string model, bool holds, string reason);

    [LoggerMessage(4076, LogLevel.Error, "Whether name {Name} moves to model {Model} could not be found out; trying again")]
    private partial void AdvanceFailed(string name, string model, Exception failure);

    [LoggerMessage(4075, LogLevel.Error, "Promotions could not be looked after; trying again")]
    private partial void LookFailed(Exception failure);
}
