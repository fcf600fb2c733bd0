namespace Llava.Cli.Service;

/// <summary>A part of the service; one process may play several.</summary>
internal enum Role
{
    /// <summary>Takes jobs in, hands chunks out, repairs; several share the work.</summary>
    Scheduler,

    /// <summary>Answers chunks; one per device.</summary>
    Consumer,

    /// <summary>The pages.</summary>
    Dashboard,
}
