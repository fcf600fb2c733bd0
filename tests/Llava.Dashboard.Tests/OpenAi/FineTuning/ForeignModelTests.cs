using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.OpenAi.FineTuning;

/// <summary>A model that one tenant had trained is to another as if it were not there.</summary>
public sealed class ForeignModelTests(FineTuningServer server) : IClassFixture<FineTuningServer>
{
    private const string Stranger = "museum";

    [Theory]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"What is this?"}]}""")]
    [InlineData("/v1/completions", """{"prompt":"Once"}""")]
    [InlineData("/v1/embeddings", """{"input":"data:image/png;base64,AAAA"}""")]
    public async Task Nobody_else_chats_with_it(string path, string body)
    {
        var model = await TrainAsync();
        using var stranger = await server.Server.CallerAsync(AccessRole.Operator, Stranger);
        var asking = JsonNode.Parse(body)!.AsObject();
        asking["model"] = model;

        Assert.Equal((404, "model_not_found", "model"), await RefusalAsync(stranger.PostAsJsonAsync(path, asking)));
        // Its owner gets as far as the worker, which takes no chats here, and to the picture, which is none.
        Assert.NotEqual(404, (await RefusalAsync(server.Caller.PostAsJsonAsync(path, asking))).Status);
    }

    [Fact]
    public async Task Nobody_else_trains_from_it()
    {
        var model = await TrainAsync();
        using var stranger = await server.Server.CallerAsync(AccessRole.Operator, Stranger);
        var asking = server.Asking(("model", $"\"{model}\""));
        asking["training_file"] = await server.SendAsync("fine-tune", Stranger);

        Assert.Equal((404, "model_not_found", "model"), await RefusalAsync(stranger.PostAsJsonAsync(FineTuningServer.Jobs, asking)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nobody_else_has_a_batch_answered_by_it(bool isServed)
    {
        var model = await TrainAsync();
        await server.ServeAsync(isServed ? ["/models/llava-scenes", model] : ["/models/llava-scenes"]);
        using var stranger = await server.Server.CallerAsync(AccessRole.Operator, Stranger);
        var line = JsonSerializer.Serialize(new { custom_id = "a", method = "POST", url = "/v1/chat/completions", body = new { model, messages = new[] { new { role = "user", content = "Hello" } } } });
        using var form = WireServer.Form(line, "batch");
        using var sent = await stranger.PostAsync(At("/v1/files"), form);
        var file = (await Server.JsonAsync(sent)).GetProperty("id").GetString();

        Assert.Equal((404, "model_not_found", "model"), await RefusalAsync(stranger.PostAsJsonAsync("/v1/batches", new { input_file_id = file, endpoint = "/v1/chat/completions", completion_window = "24h" })));
    }

    [Fact]
    public async Task Nobody_else_submits_a_job_for_it()
    {
        var model = await TrainAsync();
        using var stranger = await server.Server.CallerAsync(AccessRole.Operator, Stranger);
        var asking = new { model, prompt = "Describe.", source = new { kind = "folder", path = "/data" } };

        Assert.Equal((422, "invalid_request", "model"), await RefusalAsync(stranger.PostAsJsonAsync("/api/v1/jobs", asking)));
        using var own = await server.Caller.PostAsJsonAsync("/api/v1/jobs", asking);
        Assert.Equal(System.Net.HttpStatusCode.Created, own.StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/models")]
    [InlineData("/api/v1/workers")]
    [InlineData("/v1/models")]
    public async Task Nobody_else_finds_its_name_in_the_API(string path)
    {
        var model = await TrainAsync();
        using var stranger = await server.Server.CallerAsync(AccessRole.Viewer, Stranger);

        Assert.DoesNotContain(model, await stranger.GetStringAsync(At(path)), StringComparison.Ordinal);
        Assert.Contains(model, await server.Caller.GetStringAsync(At(path)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/models")]
    [InlineData("/consumers")]
    [InlineData("/playground")]
    [InlineData("/training/new")]
    public async Task Nobody_else_finds_its_name_on_the_pages(string path)
    {
        var model = await TrainAsync();
        using var stranger = await server.Server.SignedInAsync(AccessRole.Operator, Stranger);
        using var owner = await server.Server.SignedInAsync(AccessRole.Operator);

        Assert.DoesNotContain(model, await stranger.GetStringAsync(At(path)), StringComparison.Ordinal);
        Assert.Contains(model, await owner.GetStringAsync(At(path)), StringComparison.Ordinal);
    }

    /// <summary>A model of the usual tenant's, which is served.</summary>
    private async Task<string> TrainAsync()
    {
        var run = (await server.CreateAsync()).GetProperty("id").GetString()!;
        Assert.True(await server.Leases.SucceedAsync(await server.TrainAsync(2), "file-results"));
        var model = (await server.Runs.ReadAsync(run, null)).Model;
        await server.ServeAsync("/models/llava-scenes", model);
        return model;
    }

    private static async Task<(int Status, string Code, string? Param)> RefusalAsync(Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        var (status, code, param, _) = await Server.ErrorAsync(response);
        return ((int)status, code, param);
    }
}
