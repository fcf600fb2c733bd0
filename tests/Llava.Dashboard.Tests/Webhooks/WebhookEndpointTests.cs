using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.Webhooks;

/// <summary>Addresses over HTTP; that events arrive and are believed is shown with the published library.</summary>
public sealed class WebhookEndpointTests(Server server) : IClassFixture<Server>
{
    [Fact]
    public async Task An_address_shows_its_secret_when_it_is_new_and_never_again()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        var made = await CreateAsync(caller, new { url = "https://example.org/events", events = new[] { "batch.completed" } });
        var path = $"/api/v1/webhooks/{made.GetProperty("id").GetString()}";

        Assert.StartsWith("whsec_", made.GetProperty("secret").GetString(), StringComparison.Ordinal);
        var read = await caller.GetFromJsonAsync<JsonElement>(path);
        Assert.Equal(["created_at", "events", "id", "url"], read.EnumerateObject().Select(field => field.Name).Order());
        using var rotated = await caller.PostAsync(At($"{path}/rotate"), null);
        Assert.NotEqual(made.GetProperty("secret").GetString(), (await Server.JsonAsync(rotated)).GetProperty("secret").GetString());
        using var deleted = await caller.DeleteAsync(At(path));
        using var gone = await caller.GetAsync(At(path));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (deleted.StatusCode, gone.StatusCode));
    }

    [Fact]
    public async Task What_was_sent_is_listed_and_sent_again()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        var path = $"/api/v1/webhooks/{(await CreateAsync(caller, new { url = "https://example.org/events" })).GetProperty("id").GetString()}";
        using var first = await caller.PostAsync(At($"{path}/test"), null);
        using var second = await caller.PostAsync(At($"{path}/test"), null);
        var page = await caller.GetFromJsonAsync<JsonElement>($"{path}/deliveries?limit=1&state=pending");
        var delivery = page.GetProperty("deliveries")[0];
        using var again = await caller.PostAsync(At($"{path}/deliveries/{delivery.GetProperty("id").GetString()}/redeliver"), null);
        using var none = await caller.PostAsync(At($"{path}/deliveries/whd_none/redeliver"), null);

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted, HttpStatusCode.Accepted), (first.StatusCode, second.StatusCode, again.StatusCode));
        Assert.Equal(("webhook.test", "pending", 0, true), (delivery.GetProperty("type").GetString(), delivery.GetProperty("state").GetString(), delivery.GetProperty("attempts").GetInt32(), page.GetProperty("has_more").GetBoolean()));
        Assert.Single((await caller.GetFromJsonAsync<JsonElement>($"{path}/deliveries?after={delivery.GetProperty("id").GetString()}")).GetProperty("deliveries").EnumerateArray());
        Assert.Equal((HttpStatusCode.NotFound, "delivery_not_found"), await CodeAsync(none));
    }

    [Theory]
    [InlineData("{\"url\":\"ftp://example.org\"}", "url")]
    [InlineData("{\"url\":\"https://user@example.org\"}", "url")]
    [InlineData("{\"url\":\"/events\"}", "url")]
    [InlineData("{\"url\":null}", "url")]
    [InlineData("{\"url\":\"https://example.org\",\"events\":[\"batch.started\"]}", "events")]
    [InlineData("{\"url\":\"https://example.org\",\"secret\":\"mine\"}", "secret")]
    public async Task A_wrong_address_is_refused_by_name(string body, string param)
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using StringContent content = new(body);
        using var response = await caller.PostAsync(At("/api/v1/webhooks"), content);
        var (status, _, named, _) = await Server.ErrorAsync(response);

        Assert.Equal((HttpStatusCode.UnprocessableEntity, param), (status, named));
    }

    [Fact]
    public async Task Another_tenants_address_is_not_there()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using var other = await server.CallerAsync(AccessRole.Operator, "others");
        var path = $"/api/v1/webhooks/{(await CreateAsync(caller, new { url = "https://example.org/events" })).GetProperty("id").GetString()}";

        foreach (var asked in new[] { other.GetAsync(At(path)), other.DeleteAsync(At(path)), other.PostAsync(At($"{path}/rotate"), null), other.PostAsync(At($"{path}/test"), null), other.GetAsync(At($"{path}/deliveries")) })
        {
            using var response = await asked;
            Assert.Equal((HttpStatusCode.NotFound, "webhook_not_found"), await CodeAsync(response));
        }

        Assert.Empty((await other.GetFromJsonAsync<JsonElement>("/api/v1/webhooks")).GetProperty("webhooks").EnumerateArray());
    }

    private static async Task<JsonElement> CreateAsync(HttpClient caller, object body)
    {
        using var response = await caller.PostAsJsonAsync("/api/v1/webhooks", body);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return await Server.JsonAsync(response);
    }

    private static async Task<(HttpStatusCode Status, string Code)> CodeAsync(HttpResponseMessage response)
    {
        var (status, code, _, _) = await Server.ErrorAsync(response);
        return (status, code);
    }
}
