using Llava.Contracts.Messages;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.DistributedTests;

/// <summary>What no sender of ours would send is set aside, and the consumer goes on.</summary>
[Collection(BrokerCollection.Name)]
public sealed class MalformedMessageTests(BrokerFixture servers)
{
    private const string Envelope = "application/vnd.masstransit+json";

    private static readonly (string Body, string? ContentType)[] Anywhere =
    [
        ("{not json", "application/json"),
        ("", "application/json"),
        ("{}", "application/json"),
        ("[1,2,3]", "application/json"),
        ("null", "application/json"),
        ("\"text\"", "application/json"),
        (new string('[', 5000), "application/json"),
        ("{\"request\":{\"model\":[]}}", null),
        ("{\"request\":null}", null),
        ("\u0000\u0001\u0002", "application/octet-stream"),
    ];

    [Fact]
    public async Task Malformed_submissions_are_set_aside()
    {
        await using var service = await Service.StartAsync(servers.Broker);
        await using var producer = await ForeignProducer.ConnectAsync(service.Broker);

        foreach (var (body, contentType) in Anywhere)
        {
            await producer.SendAsync(SubmissionQueue.Name, body, contentType);
        }

        await service.Broker.WaitForCountAsync($"{SubmissionQueue.Name}_error", Anywhere.Length);
        Assert.Empty(await service.Services.GetRequiredService<JobReader>().ListAsync(new JobFilter(), default));
        var job = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(10))).Id;
        await service.AssertAnsweredAsync(job, 10);
    }

    [Fact]
    public async Task Malformed_chunk_messages_are_set_aside_and_jobs_go_on()
    {
        await using var service = await Service.StartAsync(servers.Broker);
        await using var producer = await ForeignProducer.ConnectAsync(service.Broker);
        var queue = ChunkQueue.NameFor(NullItemRunner.ModelName);
        var job = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(10))).Id;
        await service.AssertAnsweredAsync(job, 10);

        foreach (var (body, contentType) in Anywhere)
        {
            await producer.SendAsync(queue, body, contentType);
        }

        string[] wrong =
        [
            """{}""",
            """{"jobId":"nonsense","chunkNo":0,"model":"null","attempt":0}""",
            $$"""{"jobId":"{{job}}","chunkNo":-1,"model":"null","attempt":0}""",
            $$"""{"jobId":"{{job}}","chunkNo":0,"model":"../../etc/passwd","attempt":0}""",
            $$"""{"jobId":"{{job}}","chunkNo":0,"model":null,"attempt":0}""",
            $$"""{"jobId":"{{job}}","chunkNo":"zero","model":"null","attempt":0}""",
        ];
        foreach (var message in wrong)
        {
            await producer.SendAsync(queue, $$"""{"messageType":["urn:message:{{typeof(RunChunk).Namespace}}:{{nameof(RunChunk)}}"],"message":{{message}}}""", Envelope);
        }

        await producer.SendAsync(queue, """{"messageType":["urn:message:Some.Where:Else"],"message":{}}""", Envelope);

        await service.Broker.WaitForCountAsync($"{queue}_error", Anywhere.Length + wrong.Length);
        await service.Broker.WaitForCountAsync($"{queue}_skipped", 1);
        var next = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(30))).Id;
        await service.AssertAnsweredAsync(next, 30);
    }

    [Fact]
    public async Task A_chunk_message_that_comes_twice_late_or_for_nothing_changes_nothing()
    {
        await using var service = await Service.StartAsync(servers.Broker);
        var job = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(40))).Id;
        await service.AssertAnsweredAsync(job, 40);
        var messages = Enumerable.Range(0, 10).Reverse().SelectMany(chunk => Enumerable.Repeat(new RunChunk(job, chunk, NullItemRunner.ModelName, chunk % 3), 3)).ToList();

        await service.Services.GetRequiredService<MessageSender>().SendAsync(ChunkQueue.AddressFor(NullItemRunner.ModelName), messages, default);

        var next = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(24))).Id;
        await service.AssertAnsweredAsync(next, 24);
        await service.AssertAnsweredAsync(job, 40);
        await service.Broker.WaitForCountAsync(ChunkQueue.NameFor(NullItemRunner.ModelName), 0);
    }
}
