using Llava.Dashboard.Api;
using Llava.Dashboard.Webhooks;
using Llava.Ledger.Keys;
using Llava.Ledger.Webhooks;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Webhooks;

/// <summary>One address: what was sent to it, and what may be done to it.</summary>
internal sealed class WebhookModel(WebhookStore webhooks) : PageModel
{
    private const int PageSize = 50;

    /// <summary>The address.</summary>
    public WebhookRecord Webhook { get; private set; } = null!;

    /// <summary>What was and is sent to it, the newest first.</summary>
    public IReadOnlyList<WebhookDelivery> Deliveries { get; private set; } = [];

    /// <summary>Whether there are older ones.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Only deliveries in this state are shown; null for all.</summary>
    public string? State { get; private set; }

    /// <summary>Id of the last delivery of the page before; null on the first.</summary>
    public string? After { get; private set; }

    /// <summary>Whether another secret was drawn a moment ago, which is shown this once.</summary>
    public bool ShowsSecret { get; private set; }

    /// <summary>Whether the reader may do something.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>Whether addresses of several tenants are shown.</summary>
    public bool ShowsTenants => Caller.Of(User).Confinement is null;

    /// <summary>The page.</summary>
    public async Task<IActionResult> OnGetAsync(string id, string? state, string? after, CancellationToken cancellation)
    {
        if (!await FindAsync(id, cancellation))
        {
            return NotFound();
        }

        (State, After) = (DeliveryStates.Names.Contains(state ?? "") ? state : null, after);
        await ListAsync(cancellation);
        return Page();
    }

    /// <summary>Sends an event that says nothing.</summary>
    public Task<IActionResult> OnPostTestAsync(string id, CancellationToken cancellation) => ActAsync(id, async () =>
    {
        await webhooks.TestAsync(Webhook, cancellation);
        TempData["Said"] = "webhook.test is on its way.";
        return Redirect($"/webhooks/{id}");
    }, cancellation);

    /// <summary>Sends a delivery again.</summary>
    public Task<IActionResult> OnPostRedeliverAsync(string id, string delivery, CancellationToken cancellation) => ActAsync(id, async () =>
    {
        if (await webhooks.FindDeliveryAsync(Webhook, delivery, cancellation) is not { } found)
        {
            return NotFound();
        }

        await webhooks.RedeliverAsync(Webhook, found, cancellation);
        TempData["Said"] = $"{found.Type} is on its way again.";
        return Redirect($"/webhooks/{id}");
    }, cancellation);

    /// <summary>Draws another secret and shows it, this once.</summary>
    public Task<IActionResult> OnPostRotateAsync(string id, CancellationToken cancellation) => ActAsync(id, async () =>
    {
        Webhook = await webhooks.RotateAsync(Webhook, WebhookRules.Overlap, cancellation);
        ShowsSecret = true;
        await ListAsync(cancellation);
        return Page();
    }, cancellation);

    /// <summary>Forgets the address and what was sent to it.</summary>
    public Task<IActionResult> OnPostRemoveAsync(string id, CancellationToken cancellation) => ActAsync(id, async () =>
    {
        await webhooks.DeleteAsync(Webhook, cancellation);
        TempData["Said"] = $"{new Uri(Webhook.Url).Host} is told of nothing any more.";
        return Redirect("/webhooks");
    }, cancellation);

    private async Task<IActionResult> ActAsync(string id, Func<Task<IActionResult>> act, CancellationToken cancellation) => await FindAsync(id, cancellation) ? await act() : NotFound();

    private async Task<bool> FindAsync(string id, CancellationToken cancellation)
    {
        var found = await webhooks.FindAsync(id, Caller.Of(User).Confinement, cancellation);
        Webhook = found!;
        return found is not null;
    }

    private async Task ListAsync(CancellationToken cancellation)
    {
        var state = State is null ? (DeliveryState?)null : Enum.Parse<DeliveryState>(State, ignoreCase: true);
        var found = await webhooks.DeliveriesAsync(Webhook, state, After, PageSize + 1, cancellation);
        HasMore = found.Count > PageSize;
        Deliveries = HasMore ? found[..PageSize] : found;
    }
}
