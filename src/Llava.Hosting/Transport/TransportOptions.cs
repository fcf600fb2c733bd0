using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Transport;

/// <summary>Which way messages go.</summary>
public sealed class TransportOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Transport";

    /// <summary>The transport. Default <see cref="TransportKind.InMemory"/>: everything in one process.</summary>
    public TransportKind Kind { get; set; } = TransportKind.InMemory;

    /// <summary>How to reach RabbitMQ; used when <see cref="Kind"/> is <see cref="TransportKind.RabbitMq"/>.</summary>
    [ValidateObjectMembers]
    public RabbitMqOptions RabbitMq { get; set; } = new();

    /// <summary>How long one send may take before it counts as failed; MassTransit itself would try for ever. Default 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long running chunks may go on after the process was told to end; what is left then is given back. Default 20 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(20);
}

/// <summary>A way for messages.</summary>
public enum TransportKind
{
    /// <summary>Inside this process; the ledger sends again what a dead process held.</summary>
    InMemory,

    /// <summary>RabbitMQ: quorum queues and publisher confirms.</summary>
    RabbitMq,
}

/// <summary>How to reach RabbitMQ.</summary>
public sealed class RabbitMqOptions
{
    /// <summary>Name or address of the broker. Default <c>localhost</c>.</summary>
    [Required]
    public string Host { get; set; } = "localhost";

    /// <summary>Its port. Default 5672.</summary>
    [Range(1, 65_535)]
    public int Port { get; set; } = 5672;

    /// <summary>Virtual host. Default <c>/</c>.</summary>
    [Required]
    public string VirtualHost { get; set; } = "/";

    /// <summary>User. Default <c>guest</c>, which a broker accepts from its own machine only.</summary>
    [Required]
    public string Username { get; set; } = "guest";

    /// <summary>
    /// How queues are kept. Default <see cref="QueueType.Quorum"/>. All processes must say the same; a queue that is there keeps its type
    /// until it is deleted, which costs nothing: the ledger sends again what was in it.
    /// </summary>
    public QueueType QueueType { get; set; } = QueueType.Quorum;

    /// <summary>File that holds the password, so that it stands in no environment and no listing; null takes the broker's default.</summary>
    public string? PasswordFile { get; set; }
}

/// <summary>How RabbitMQ keeps a queue.</summary>
public enum QueueType
{
    /// <summary>Copies on several nodes of a cluster, agreed on by Raft.</summary>
    Quorum,

    /// <summary>
    /// One copy on one node. For a broker of one node this is as safe, and after a power cut safer: quorum queues of RabbitMQ 3.10
    /// sometimes come back without a leader there.
    /// </summary>
    Classic,
}

[OptionsValidator]
internal sealed partial class TransportOptionsRanges : IValidateOptions<TransportOptions>;

internal sealed class TransportOptionsRules : IValidateOptions<TransportOptions>
{
    public ValidateOptionsResult Validate(string? name, TransportOptions options) =>
        options.Kind == TransportKind.RabbitMq && options.RabbitMq.PasswordFile is { } file && !File.Exists(file)
            ? ValidateOptionsResult.Fail($"Llava:Transport:RabbitMq:PasswordFile is '{file}', which does not exist; mount the secret there or name another file.")
            : ValidateOptionsResult.Success;
}
