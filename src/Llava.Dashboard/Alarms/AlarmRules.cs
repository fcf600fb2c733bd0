using Llava.Contracts.States;
using Llava.Dashboard.Elements;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Alarms;

/// <summary>When to raise an alarm.</summary>
internal static class AlarmRules
{
    /// <summary>A share of failures above this is an alarm, once there are enough results to speak of a share.</summary>
    private const double FailingShare = 0.25;
    private const long EnoughResults = 20;

    /// <summary>Alarms of the system's state; the grave ones first.</summary>
    /// <param name="state">The state.</param>
    /// <param name="expiry">How long a worker counts as alive without a heartbeat.</param>
    /// <param name="recent">Results of the last minutes and how many of them failed.</param>
    public static IReadOnlyList<Alarm> Of(SystemState state, TimeSpan expiry, (long Results, long Failed) recent) =>
        [.. Parts(state).Concat(Work(state, expiry)).Concat(Models(state, expiry)).Concat(Failures(recent)).OrderByDescending(alarm => alarm.IsGrave)];

    private static IEnumerable<Alarm> Parts(SystemState state) => state.Parts.Where(part => !part.IsWell).Select(part => part.Name switch
    {
        SystemPart.Ledger => new Alarm("The ledger does not answer.", "Pages show what was seen last. Nothing is lost; work goes on once the database is back.", true),
        SystemPart.Broker => new("The broker does not answer.", "Work in hand goes on; nothing new is handed out until it is back.", true),
        _ => new($"{part.Name} is not well.", "The health check of this part fails; the log says why."),
    });

    private static IEnumerable<Alarm> Work(SystemState state, TimeSpan expiry)
    {
        if (!state.HasLedger || state.Backlog is not { } backlog)
        {
            yield break;
        }

        foreach (var work in backlog.Work.Where(work => work.State == ChunkState.Open && !state.Workers.Any(worker => Serves(worker, work.Model, state.At - expiry))))
        {
            yield return new($"No live consumer serves “{Path.GetFileName(Path.TrimEndingDirectorySeparator(work.Model))}”.", $"{Words.Count(work.Items, "item waits", "items wait")} for one.", true);
        }
    }

    private static IEnumerable<Alarm> Models(SystemState state, TimeSpan expiry) =>
        from worker in state.Workers
        where worker.HeartbeatAt >= state.At - expiry
        from model in worker.Models
        where model.State == ModelState.Failed
        select new Alarm($"“{model.Name}” failed on {worker.Host}.", model.Failure ?? "The log of the consumer says why.");

    private static IEnumerable<Alarm> Failures((long Results, long Failed) recent) => recent.Results >= EnoughResults && (double)recent.Failed / recent.Results > FailingShare
        ? [new($"{Words.Percent((double)recent.Failed / recent.Results)} of the last items failed.", $"{Words.Count(recent.Failed)} of {Words.Count(recent.Results)} in five minutes; a job's page lists the causes.")]
        : [];

    private static bool Serves(WorkerRecord worker, string model, DateTimeOffset oldest) =>
        worker.HeartbeatAt >= oldest && !worker.Draining && worker.Models.Any(served => served.Name == model);
}
