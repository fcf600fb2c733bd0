using System.Text;
using Llava.Dashboard.Tests.Api;
using Llava.Dashboard.Tests.OpenAi.FineTuning;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.Pages;

/// <summary>Where the page of models says that trained ones come from.</summary>
public sealed class ModelPageTests(FineTuningServer server) : IClassFixture<FineTuningServer>
{
    [Fact]
    public async Task A_trained_model_shows_its_base_its_run_its_file_and_the_job_whose_reviews_are_in_it()
    {
        var job = await server.Server.FinishedJobAsync(items: 1);
        var file = await SendAsync($"{job}-reviewed.jsonl");
        var run = await TrainAsync(file);
        using var browser = await server.Server.SignedInAsync(AccessRole.Viewer);

        var page = await browser.GetStringAsync(At("/models"));

        Assert.Contains("<dt>Trained from</dt><dd>llava-scenes</dd>", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"/training/{run}\"", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"/files?Id={file}\"", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"/jobs/{job}/gallery\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_gone_is_named_and_another_tenants_job_is_not()
    {
        var foreign = await server.Server.FinishedJobAsync(items: 1, tenant: "museum");
        var file = await SendAsync($"{foreign}-reviewed.jsonl");
        await TrainAsync(file);
        var lost = await SendAsync("rows.jsonl");
        await TrainAsync(lost);
        await server.Server.Get<FileStore>().DeleteAsync((await server.Server.Get<FileStore>().FindAsync(lost, null))!);
        using var browser = await server.Server.SignedInAsync(AccessRole.Viewer);

        var page = await browser.GetStringAsync(At("/models"));

        Assert.Contains($"{lost}, which is deleted", page, StringComparison.Ordinal);
        Assert.DoesNotContain($"/jobs/{foreign}", page, StringComparison.Ordinal);
    }

    private async Task<string> SendAsync(string name)
    {
        using MemoryStream rows = new(Encoding.UTF8.GetBytes("{}\n"));
        return (await server.Server.Get<FileStore>().CreateAsync(Server.Tenant, new(name, "fine-tune"), rows, 1000)).Id;
    }

    private async Task<string> TrainAsync(string file)
    {
        var run = (await server.CreateAsync(("training_file", $"\"{file}\""))).GetProperty("id").GetString()!;
        Assert.True(await server.Leases.SucceedAsync(await server.TrainAsync(2), "file-results"));
        return run;
    }
}
