using Hangfire;
using Hangfire.Storage;
using Llava.Ledger.Schedules;
using Llava.Ledger.Signals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Recurring;

/// <summary>
/// Keeps Hangfire's recurring tasks as the ledger's schedules say, and has it run what it has missed: fires while nothing ran, or whose
/// task failed or was lost. Several processes may do so at once, for a fire makes one job however often it is run.
/// </summary>
internal sealed partial class HangfireSchedules(
    ScheduleStore schedules, IRecurringJobManager recurring, JobStorage storage, ILedgerSignal signal, TimeProvider time, ILogger<HangfireSchedules> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    // Hangfire looks every 15 seconds, and its workers as often. At the start nobody has looked.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, ScheduleDefinition> _kept = [];
    private readonly Dictionary<string, DateTimeOffset> _askedAt = [];
    private bool _isPruned;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.ScheduleChanged);
        while (true)
        {
            try
            {
                var records = await schedules.ListAsync(null, stoppingToken);
                await Task.Run(() => Follow(records), stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                NotFollowed(Pause, failure);
                await Task.Delay(Pause, time, stoppingToken);
            }

            await listener.WaitAsync(Poll, stoppingToken);
        }
    }

    private void Follow(List<ScheduleRecord> records)
    {
        var wanted = records.Where(record => record.IsEnabled).ToDictionary(record => ScheduleTask.IdOf(record.Id));
        foreach (var gone in Kept().Where(id => !wanted.ContainsKey(id)))
        {
            recurring.RemoveIfExists(gone);
            _kept.Remove(gone);
            _askedAt.Remove(gone);
        }

        foreach (var (id, record) in wanted)
        {
            Keep(id, record);
            RunMissed(id, record, _isPruned ? Patience : TimeSpan.Zero);
        }

        _isPruned = true;
    }

    /// <summary>What this process has told Hangfire; at the start, what any process ever has.</summary>
    private List<string> Kept()
    {
        if (_isPruned)
        {
            return [.. _kept.Keys];
        }

        using var connection = storage.GetConnection();
        return [.. connection.GetRecurringJobs().Select(task => task.Id).Where(id => id.StartsWith(ScheduleTask.Prefix, StringComparison.Ordinal))];
    }

    private void Keep(string id, ScheduleRecord record)
    {
        var definition = record.Definition;
        if (_kept.TryGetValue(id, out var before) && (before.Cron, before.TimeZone) == (definition.Cron, definition.TimeZone))
        {
            return;
        }

        recurring.AddOrUpdate<ScheduleTask>(
            id,
            task => task.RunAsync(record.Id, definition.Name, CancellationToken.None),
            definition.Cron,
            new RecurringJobOptions { TimeZone = record.Cadence.TimeZone, MisfireHandling = MisfireHandlingMode.Relaxed });
        _kept[id] = definition;
    }

    private void RunMissed(string id, ScheduleRecord record, TimeSpan patience)
    {
        var now = time.GetUtcNow();
        if (record.DueAt(now - patience) is not null && (!_askedAt.TryGetValue(id, out var askedAt) || now - askedAt >= Patience))
        {
            Missed(record.Definition.Name);
            recurring.Trigger(id);
            _askedAt[id] = now;
        }
    }

    [LoggerMessage(4051, LogLevel.Warning, "Hangfire's recurring tasks do not follow the schedules; trying again in {Pause}")]
    private partial void NotFollowed(TimeSpan pause, Exception failure);

    [LoggerMessage(4052, LogLevel.Information, "Schedule '{Name}' was missed and is run now")]
    private partial void Missed(string name);
}
