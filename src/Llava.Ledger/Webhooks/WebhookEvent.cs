using System.Text.Json;
using Llava.Contracts.States;
using Llava.Ledger.Batches;
using Llava.Ledger.Jobs;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Webhooks;

/// <summary>Something that happened, as it is told to the addresses of a tenant. It goes out with the change it tells of, or not at all.</summary>
/// <param name="Id"><c>evt_</c> and 32 hexadecimal digits; the same at every address and every try.</param>
/// <param name="Type">What happened, one of <see cref="Types"/>.</param>
/// <param name="CreatedAt">When, in Unix seconds.</param>
/// <param name="Data">To what.</param>
internal sealed record WebhookEvent(string Id, string Type, long CreatedAt, WebhookSubject Data)
{
    /// <summary>An event that happens on request only.</summary>
    public const string Test = "webhook.test";

    private static readonly JobState[] Ends = [JobState.Completed, JobState.Failed, JobState.Cancelled, JobState.Expired];

    private static readonly IEnumerable<TrainingRunState> TrainingEnds = Enum.GetValues<TrainingRunState>().Where(TrainingRunStates.IsFinal);

    private static readonly TimeSpan TriedFor = TimeSpan.FromHours(72);

    /// <summary>Every type there is: a kind of thing that ends adds its own here.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. Ends.SelectMany(end => new[] { BatchType(end.WireName()), JobType(end) }), .. TrainingEnds.Select(TrainingType), Test];

    public string Object { get; } = "event";

    /// <summary>The end of a batch.</summary>
    public static WebhookEvent OfBatch(BatchRecord batch, JobRecord job, DateTimeOffset now) => Of(BatchType(BatchStatuses.End(job).WireName()), batch.Id, now);

    /// <summary>The end of a job.</summary>
    public static WebhookEvent OfJob(EndedJob ended, DateTimeOffset now) => Of(JobType(ended.EndState), ended.Job.Id.ToString(), now);

    /// <summary>The end of a training run, as OpenAI calls it.</summary>
    public static WebhookEvent OfTraining(string run, TrainingRunState end, DateTimeOffset now) => Of(TrainingType(end), run, now);

    /// <summary>An event of this type.</summary>
    public static WebhookEvent Of(string type, string subject, DateTimeOffset now) => new("evt_" + Guid.CreateVersion7(now).ToString("N"), type, now.ToUnixTimeSeconds(), new(subject));

    /// <summary>Puts the event on its way to every address of the tenant that wants to know, inside a write of the caller's.</summary>
    public async Task AddAsync(LedgerSession session, string tenant, CancellationToken cancellation)
    {
        foreach (var webhook in await session.Statement("list_webhooks").Set("@tenant", tenant).ListAsync(WebhookStore.Read, cancellation))
        {
            if (webhook.Events.Count == 0 || webhook.Events.Contains(Type))
            {
                await AddAsync(session, webhook, cancellation);
            }
        }
    }

    /// <summary>Puts the event on its way to one address.</summary>
    /// <returns>Id of the delivery.</returns>
    public async Task<string> AddAsync(LedgerSession session, WebhookRecord webhook, CancellationToken cancellation)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(CreatedAt);
        var id = "whd_" + Guid.CreateVersion7(now).ToString("N");
        await session.Statement("insert_webhook_delivery")
            .Set("@id", id)
            .Set("@webhook", webhook.Id)
            .Set("@event", Id)
            .Set("@type", Type)
            .Set("@payload", JsonSerializer.Serialize(this, LedgerJson.Default.WebhookEvent))
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@until", (now + TriedFor).ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation);
        return id;
    }

    private static string BatchType(string end) => "batch." + end;

    private static string JobType(JobState end) => "job." + end.WireName();

    private static string TrainingType(TrainingRunState end) => "fine_tuning.job." + end.WireName();
}

/// <summary>The thing to which something happened.</summary>
/// <param name="Id">Its id.</param>
internal sealed record WebhookSubject(string Id);
