using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Requests;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Tests.OpenAi.FineTuning;

/// <summary>The dashboard with a live worker, a file to learn from, and somebody who has models trained.</summary>
public sealed class FineTuningServer : IAsyncLifetime
{
    public const string Jobs = "/v1/fine_tuning/jobs";

    public Server Server { get; } = new();

    public HttpClient Caller { get; private set; } = null!;

    public string TrainingFile { get; private set; } = "";

    public TrainingLeases Leases => Server.Get<TrainingLeases>();

    public TrainingRuns Runs => Server.Get<TrainingRuns>();

    public async Task InitializeAsync()
    {
        await Server.InitializeAsync();
        Caller = await Server.CallerAsync(AccessRole.Operator);
        TrainingFile = await SendAsync("fine-tune");
        await ServeAsync("/models/llava-scenes");
    }

    public async Task DisposeAsync()
    {
        Caller.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>A live worker says that it answers for these models, and can align a base.</summary>
    public Task ServeAsync(params string[] models) => Server.Get<WorkerRegistry>().HeartbeatAsync(
        new() { Id = "w", Host = "h", ProcessId = 1, ProcessStart = TimeSpan.Zero, Models = [.. models.Select(model => new ServedModel(model, "r1", 4))], Bases = ["vicuna"] });

    public async Task<string> SendAsync(string purpose, string tenant = Server.Tenant)
    {
        using MemoryStream content = new(Encoding.UTF8.GetBytes("{}\n"));
        return (await Server.Get<FileStore>().CreateAsync(tenant, new("rows.jsonl", purpose), content, 1000)).Id;
    }

    /// <summary>A request with these fields more, or others.</summary>
    public JsonObject Asking(params (string Field, string Json)[] fields)
    {
        JsonObject body = new() { ["model"] = "llava-scenes", ["training_file"] = TrainingFile };
        foreach (var (field, json) in fields)
        {
            body[field] = JsonNode.Parse(json);
        }

        return body;
    }

    public async Task<JsonElement> CreateAsync(params (string Field, string Json)[] fields) => await AnswerAsync(await Caller.PostAsJsonAsync(Jobs, Asking(fields)));

    public async Task<JsonElement> GetAsync(string path) => await AnswerAsync(await Caller.GetAsync(new Uri(path, UriKind.Relative)));

    public async Task<JsonElement> PostAsync(string path) => await AnswerAsync(await Caller.PostAsync(new Uri(path, UriKind.Relative), null));

    public async Task<(int Status, string Code, string? Param, string Message)> RefusalAsync(params (string Field, string Json)[] fields) => await RefusalAsync(Caller.PostAsJsonAsync(Jobs, Asking(fields)));

    public static async Task<(int Status, string Code, string? Param, string Message)> RefusalAsync(Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        Assert.True(response.Headers.Contains("x-request-id"));
        var (status, code, param, message) = await Server.ErrorAsync(response);
        return ((int)status, code, param, message);
    }

    /// <summary>Lets the oldest job that waits be trained by nobody, in this many steps.</summary>
    public async Task<TrainingLease> TrainAsync(int steps)
    {
        var validating = (await Leases.ClaimAsync(TrainingPhase.Validate, "w"))!;
        await Leases.QueueAsync(validating.Lease, new TrainingSettings { Epochs = 3, BatchSize = 2, LearningRate = 2e-5, LearningRateMultiplier = 1, SaveEvery = 2 }, steps, []);
        var lease = (await Leases.ClaimAsync(TrainingPhase.Train, "w"))!.Lease;
        for (var step = 1; step <= steps; step++)
        {
            await Leases.AdvanceAsync(
                lease, new() { Step = step, Loss = 2, Accuracy = 0.5, LearningRate = 1e-5, GradientNorm = 1, Tokens = 100, TokensPerSecond = 10, ValidLoss = 3, ValidAccuracy = 0.25 }, steps, DateTimeOffset.UtcNow.AddMinutes(1));
            if (step % 2 == 0)
            {
                await Leases.CheckpointAsync(lease, step, 3);
            }
        }

        return lease;
    }

    private static async Task<JsonElement> AnswerAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.StatusCode == System.Net.HttpStatusCode.OK, text);
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
    }
}
