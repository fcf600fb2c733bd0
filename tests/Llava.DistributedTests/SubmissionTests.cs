using Llava.Contracts;
using Llava.Contracts.Messages;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.DistributedTests;

[Collection(BrokerCollection.Name)]
public sealed class SubmissionTests(BrokerFixture servers)
{
    private const string Accepted = "Llava.Contracts.Messages:JobAccepted";
    private const string Refused = "Llava.Contracts.Messages:JobRefused";
    private const string Completed = "Llava.Contracts.Messages:JobCompleted";

    [Theory]
    [InlineData("application/json")]
    [InlineData(null)]
    public async Task A_job_submitted_as_bare_JSON_is_accepted_answered_and_announced(string? contentType)
    {
        await using var service = await Service.StartAsync(servers.Broker);
        await using var producer = await ForeignProducer.ConnectAsync(service.Broker);
        var (accepted, completed) = (await producer.ListenAsync(Accepted), await producer.ListenAsync(Completed));

        await producer.SendAsync(SubmissionQueue.Name, $$"""{"request":{{RequestJson.Write(service.Request(20, "first"))}}}""", contentType);

        var answer = await producer.ReceiveAsync(accepted);
        Assert.Equal("first", answer.GetProperty("idempotencyKey").GetString());
        var job = JobId.Parse(answer.GetProperty("jobId").GetString()!);
        await service.AssertAnsweredAsync(job, 20);
        var end = await producer.ReceiveAsync(completed);
        Assert.Equal((job.ToString(), "completed", 20), (end.GetProperty("jobId").GetString(), end.GetProperty("state").GetString(), end.GetProperty("succeeded").GetInt32()));
    }

    [Fact]
    public async Task A_job_out_of_time_expires_under_its_consumer_and_that_is_announced()
    {
        await using var service = await Service.StartAsync(servers.Broker);
        await using var producer = await ForeignProducer.ConnectAsync(service.Broker);
        var completed = await producer.ListenAsync(Completed);
        var request = service.Request(20) with { Model = Service.SlowModel, CompletionWindow = TimeSpan.FromSeconds(5) };

        var job = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(request)).Id;

        Assert.Equal(JobState.Expired, (await service.WaitForEndAsync(job)).State);
        Assert.NotEmpty(await service.Services.GetRequiredService<AttemptHistory>().OfJobAsync(job)); // it was in work
        Assert.Equal(20, (await service.Services.GetRequiredService<JobReader>().ProgressAsync(job)).Expired);
        var end = await producer.ReceiveAsync(completed);
        Assert.Equal((job.ToString(), "expired", 0), (end.GetProperty("jobId").GetString(), end.GetProperty("state").GetString(), end.GetProperty("succeeded").GetInt32()));
    }

    [Fact]
    public async Task A_submission_that_comes_twice_makes_one_job()
    {
        await using var service = await Service.StartAsync(servers.Broker);
        await using var producer = await ForeignProducer.ConnectAsync(service.Broker);
        var accepted = await producer.ListenAsync(Accepted);
        SubmitJob submission = new(service.Request(10, "again"));

        await service.Services.GetRequiredService<MessageSender>().SendAsync(SubmissionQueue.Address, [submission, submission], default);

        var jobs = new[] { await producer.ReceiveAsync(accepted), await producer.ReceiveAsync(accepted) }.Select(answer => answer.GetProperty("jobId").GetString());
        Assert.Single(jobs.Distinct());
        Assert.Single(await service.Services.GetRequiredService<JobReader>().ListAsync(new JobFilter(), default));
    }

    [Fact]
    public async Task A_job_that_breaks_rules_is_refused_with_every_finding()
    {
        await using var service = await Service.StartAsync(servers.Broker);
        await using var producer = await ForeignProducer.ConnectAsync(service.Broker);
        var refused = await producer.ListenAsync(Refused);
        var request = service.Request(1, "wrong") with { Priority = 1000, ChunkItems = 0 };

        await producer.SendAsync(SubmissionQueue.Name, $$"""{"request":{{RequestJson.Write(request)}}}""");

        var answer = await producer.ReceiveAsync(refused);
        Assert.Equal(("wrong", "invalid_request"), (answer.GetProperty("idempotencyKey").GetString(), answer.GetProperty("code").GetString()));
        Assert.Equal(["priority", "chunk_items"], answer.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("field").GetString()!));
    }
}
