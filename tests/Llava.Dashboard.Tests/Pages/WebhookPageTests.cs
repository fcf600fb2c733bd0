using System.Net;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Llava.Ledger.Webhooks;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.Pages;

/// <summary>The pages of addresses that are told of events.</summary>
public sealed class WebhookPageTests(Server server) : IClassFixture<Server>
{
    private WebhookStore Webhooks => server.Get<WebhookStore>();

    [Fact]
    public async Task An_address_is_added_with_its_secret_shown_once()
    {
        const string Tenant = "adds";
        using var browser = await server.SignedInAsync(AccessRole.Operator, Tenant);

        using var added = await Server.PostFormAsync(browser, "/webhooks", new() { ["url"] = " https://example.org/ends ", ["events"] = "batch.completed" });

        var made = Assert.Single(await Webhooks.ListAsync(Tenant));
        Assert.Equal(("https://example.org/ends", "batch.completed"), (made.Url, Assert.Single(made.Events)));
        Assert.Contains(made.Secret, WebUtility.HtmlDecode(await added.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        var later = WebUtility.HtmlDecode(await browser.GetStringAsync(At("/webhooks")));
        Assert.Contains(made.Url, later, StringComparison.Ordinal);
        Assert.DoesNotContain(made.Secret, later, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://example.org", "batch.completed")]
    [InlineData("https://example.org", "batch.started")]
    public async Task A_wrong_address_is_told_and_kept_in_the_form(string url, string type)
    {
        using var browser = await server.SignedInAsync(AccessRole.Operator, "wrong");

        using var refused = await Server.PostFormAsync(browser, "/webhooks", new() { ["url"] = url, ["events"] = type });

        var page = await refused.Content.ReadAsStringAsync();
        Assert.Contains("role=\"alert\"", page, StringComparison.Ordinal);
        Assert.Contains($"value=\"{url}\"", page, StringComparison.Ordinal);
        Assert.Empty(await Webhooks.ListAsync("wrong"));
    }

    [Fact]
    public async Task What_was_sent_is_listed_and_sent_again()
    {
        const string Tenant = "sends";
        var webhook = await Webhooks.CreateAsync(Tenant, "https://example.org/ends", []);
        var dead = await Webhooks.TestAsync(webhook);
        await DieAsync(dead);
        using var browser = await server.SignedInAsync(AccessRole.Operator, Tenant);
        var path = $"/webhooks/{webhook.Id}";

        var page = await browser.GetStringAsync(At($"{path}?state=dead"));
        Assert.Contains("no such host", page, StringComparison.Ordinal);
        Assert.DoesNotContain(dead.Event, await browser.GetStringAsync(At($"{path}?state=delivered")), StringComparison.Ordinal);
        using var again = await Server.PostFormAsync(browser, path, new() { ["delivery"] = dead.Id }, $"{path}?handler=Redeliver");
        using var test = await Server.PostFormAsync(browser, path, [], $"{path}?handler=Test");

        Assert.Equal((HttpStatusCode.Redirect, HttpStatusCode.Redirect), (again.StatusCode, test.StatusCode));
        Assert.Equal([DeliveryState.Pending, DeliveryState.Pending], (await Webhooks.DeliveriesAsync(webhook, null, null, 10)).Select(delivery => delivery.State));
    }

    [Fact]
    public async Task A_secret_is_drawn_anew_and_an_address_removed()
    {
        const string Tenant = "rotates";
        var webhook = await Webhooks.CreateAsync(Tenant, "https://example.org/ends", []);
        using var browser = await server.SignedInAsync(AccessRole.Operator, Tenant);
        var path = $"/webhooks/{webhook.Id}";

        using var rotated = await Server.PostFormAsync(browser, path, [], $"{path}?handler=Rotate");
        var now = (await Webhooks.FindAsync(webhook.Id, Tenant))!;
        Assert.NotEqual(webhook.Secret, now.Secret);
        Assert.Contains(now.Secret, WebUtility.HtmlDecode(await rotated.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        using var removed = await Server.PostFormAsync(browser, path, [], $"{path}?handler=Remove");

        Assert.Equal("/webhooks", removed.Headers.Location!.ToString());
        Assert.Null(await Webhooks.FindAsync(webhook.Id, Tenant));
    }

    [Fact]
    public async Task Another_tenants_address_is_as_if_it_were_not_there_and_a_viewer_gets_no_buttons()
    {
        var webhook = await Webhooks.CreateAsync("mine", "https://example.org/mine", []);
        var path = $"/webhooks/{webhook.Id}";
        using var other = await server.SignedInAsync(AccessRole.Operator, "theirs");
        using var viewer = await server.SignedInAsync(AccessRole.Viewer, "mine");

        using var hidden = await other.GetAsync(At(path));
        using var removed = await Server.PostFormAsync(other, "/webhooks", [], $"{path}?handler=Remove");
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (hidden.StatusCode, removed.StatusCode));
        Assert.DoesNotContain("example.org/mine", await other.GetStringAsync(At("/webhooks")), StringComparison.Ordinal);
        Assert.DoesNotContain("handler=", await viewer.GetStringAsync(At(path)), StringComparison.Ordinal);
        Assert.NotNull(await Webhooks.FindAsync(webhook.Id, "mine"));
    }

    /// <summary>A try that failed, and after which there is time for no other.</summary>
    private async Task DieAsync(WebhookDelivery delivery) =>
        Assert.Equal(DeliveryState.Dead, await server.Get<WebhookQueue>().NoteAsync(delivery, new(null, "no such host"), TimeSpan.FromDays(4)));
}
