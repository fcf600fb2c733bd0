using Hangfire;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Scheduler.Recurring;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Llava.Scheduler.Tests;

public sealed class HostTests : SourceFolder
{
    [Fact]
    public async Task A_host_with_wrong_options_does_not_start_and_names_every_finding()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Llava:Transport:SendTimeout"] = "00:00:00";
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.MaxAttempts = 0));
        builder.Services.AddLlavaScheduler(options => options.Configure(o =>
        {
            o.ImageRoots = ["/no/such/folder"];
            o.ExpansionBatch = 0;
        }));
        builder.Services.AddLlavaTransport(builder.Configuration);
        using var host = builder.Build();

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());

        Assert.All((string[])["SendTimeout", "MaxAttempts", "/no/such/folder", "ExpansionBatch"], finding => Assert.Contains(finding, refused.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hangfire_knows_the_recurring_tasks_and_they_run()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, "ledger.db")));
        builder.Services.AddLlavaScheduler(options => options.Configure(o => o.Retention = TimeSpan.FromDays(1)));
        builder.Services.AddLlavaHangfire().AddLoggingOfTheProcess();
        builder.Services.AddLlavaTransport(builder.Configuration);
        using var host = builder.Build();
        await host.StartAsync();

        Assert.Equal([RetentionTask.Id, SweepTask.Id], await RecurringTasks.WaitForAsync(host.Services.GetRequiredService<JobStorage>(), 2));
        await host.Services.GetRequiredService<SweepTask>().RunAsync(default);
        await host.Services.GetRequiredService<RetentionTask>().RunAsync(default);
        await host.StopAsync();
    }

    [Fact]
    public void Every_model_has_a_queue_of_its_own_with_a_plain_name()
    {
        Assert.Equal("llava.chunks.llava-v1.5-7b", ChunkQueue.NameFor("llava-v1.5-7b"));
        Assert.Equal("llava.chunks.liuhaotian_2fllava_5f7b", ChunkQueue.NameFor("liuhaotian/llava_7b"));
    }
}
