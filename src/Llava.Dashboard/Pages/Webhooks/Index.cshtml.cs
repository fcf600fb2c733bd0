using Llava.Dashboard.Api;
using Llava.Dashboard.Webhooks;
using Llava.Ledger.Keys;
using Llava.Ledger.Webhooks;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Webhooks;

/// <summary>Addresses that are told of events: list and add.</summary>
internal sealed class WebhooksModel(WebhookStore webhooks) : PageModel
{
    /// <summary>The addresses that the reader may see, each with what was last sent to it.</summary>
    public IReadOnlyList<(WebhookRecord Webhook, WebhookDelivery? Last)> Webhooks { get; private set; } = [];

    /// <summary>The address that was added a moment ago, with its secret; null on every other view.</summary>
    public WebhookRecord? Created { get; private set; }

    /// <summary>What is wrong with the form; null while nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>The address that was typed.</summary>
    public string? Typed { get; private set; }

    /// <summary>The types that were ticked.</summary>
    public IReadOnlyList<string> Events { get; private set; } = [];

    /// <summary>Whether the reader may add one.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>Whether addresses of several tenants are shown.</summary>
    public bool ShowsTenants => Caller.Of(User).Confinement is null;

    /// <summary>The page.</summary>
    public Task OnGetAsync(CancellationToken cancellation) => ListAsync(cancellation);

    /// <summary>Adds an address and shows its secret, this once.</summary>
    public async Task<IActionResult> OnPostAsync(string? url, string[] events, CancellationToken cancellation)
    {
        (Typed, Events) = (url?.Trim(), events);
        if (!WebhookRules.IsAddress(Typed) || !events.All(WebhookStore.EventTypes.Contains))
        {
            Problem = $"Give {WebhookRules.Address}, and types of the list.";
        }
        else
        {
            Created = await webhooks.CreateAsync(Caller.Of(User).Tenant, Typed!, events, cancellation);
            (Typed, Events) = (null, []);
        }

        await ListAsync(cancellation);
        return Page();
    }

    private async Task ListAsync(CancellationToken cancellation)
    {
        List<(WebhookRecord, WebhookDelivery?)> found = [];
        foreach (var webhook in await webhooks.ListAsync(Caller.Of(User).Confinement, cancellation))
        {
            found.Add((webhook, (await webhooks.DeliveriesAsync(webhook, null, null, 1, cancellation)).FirstOrDefault()));
        }

        Webhooks = found;
    }
}
