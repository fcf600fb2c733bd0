using Llava.Ledger;
using Llava.Ledger.Webhooks;
using Llava.Testing;
using Llava.Hosting.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Scheduler.Tests.Webhooks;

/// <summary>Where events are not sent; that they are sent is shown with the published library.</summary>
public sealed class WebhookLoopTests : SourceFolder
{
    [Theory]
    [InlineData("http://127.0.0.1/events")]
    [InlineData("http://localhost/events")]
    [InlineData("http://[::1]/events")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://2130706433/")]
    [InlineData("https://example.org:8443/events")]
    public async Task An_address_that_is_not_public_is_refused_and_says_so_in_the_log(string url)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Llava:Scheduler:Poll"] = "00:00:00.05";
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, "ledger.db")));
        builder.Services.AddLlavaScheduler();
        builder.Services.AddLlavaTransport(builder.Configuration);
        builder.Services.AddLoggingOfTheProcess();
        using var host = builder.Build();
        await host.StartAsync();
        var webhooks = host.Services.GetRequiredService<WebhookStore>();
        var webhook = await webhooks.CreateAsync("archive", url, []);
        var sent = await webhooks.TestAsync(webhook);

        WebhookDelivery tried;
        do
        {
            await Task.Delay(20);
            tried = (await webhooks.FindDeliveryAsync(webhook, sent.Id))!;
        }
        while (tried.TriedAt is null);

        Assert.Equal((DeliveryState.Pending, null), (tried.State, tried.Status));
        Assert.NotEmpty(tried.Error!);
        Assert.True(tried.NextAt > tried.TriedAt);
        await host.StopAsync();
    }
}
