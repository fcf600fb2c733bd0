using Llava.Contracts;
using Llava.Ledger.Schedules;

namespace Llava.Cli.Schedules;

/// <summary>What the commands ask of wherever schedules are kept.</summary>
internal interface IScheduleClient : IAsyncDisposable
{
    /// <summary>The name under which the typed model is served there.</summary>
    /// <exception cref="UsageException">There is no such model.</exception>
    Task<string> ModelAsync(string typed, CancellationToken cancellationToken);

    /// <summary>Keeps a file to learn from there, and returns its id.</summary>
    Task<string> KeepRowsAsync(FileInfo rows, CancellationToken cancellationToken);

    /// <summary>Keeps a new schedule.</summary>
    Task<ScheduleView> AddAsync(ScheduleDefinition definition, CancellationToken cancellationToken);

    /// <summary>Puts another definition in the place of the one with its name.</summary>
    Task<ScheduleView> ReplaceAsync(ScheduleDefinition definition, CancellationToken cancellationToken);

    /// <summary>All schedules by name, each with its last job.</summary>
    Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellationToken);

    /// <summary>One schedule with its last jobs.</summary>
    Task<ScheduleView> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Submits its job or training run now.</summary>
    Task<ScheduleFire> RunAsync(string name, CancellationToken cancellationToken);

    /// <summary>Keeps it from firing.</summary>
    Task<ScheduleView> PauseAsync(string name, CancellationToken cancellationToken);

    /// <summary>Lets it fire again.</summary>
    Task<ScheduleView> ResumeAsync(string name, CancellationToken cancellationToken);

    /// <summary>Removes it; its jobs stay, but those that have not read their source, which are returned, are cancelled.</summary>
    Task<IReadOnlyList<JobId>> RemoveAsync(string name, CancellationToken cancellationToken);
}
