using System.Net;
using System.Reflection;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.RazorPages.Infrastructure;

namespace Llava.Dashboard.Tests.Security;

/// <summary>Every form of every page × a viewer and an operator, each with a token that holds, so that nothing but the role refuses.</summary>
public sealed class PageHandlerTests(Server server) : IClassFixture<Server>
{
    /// <summary>What everybody may send: to sign in and out, and what shows why a form was refused.</summary>
    private static readonly string[] ForAll = ["POST /login", "POST /logout", "POST /problem/{status:int}"];

    /// <summary>What is for admins alone.</summary>
    private static readonly string[] ForAdmins = ["POST /keys?handler=Create", "POST /keys?handler=Revoke"];

    [Fact]
    public async Task No_handler_that_writes_is_forgotten()
    {
        var methods = typeof(DashboardHosting).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(PageModel)))
            .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(method => method.Name.StartsWith("On", StringComparison.Ordinal) && !method.Name.StartsWith("OnGet", StringComparison.Ordinal))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Order().ToList();
        var handlers = await HandlersAsync();

        Assert.True(methods.Count > 20);
        Assert.Equal(methods, handlers.Select(handler => handler.Method).Order());
        Assert.All(ForAll.Concat(ForAdmins), name => Assert.Contains(name, handlers.Select(handler => handler.Name)));
    }

    [Fact]
    public async Task Every_handler_that_writes_refuses_a_viewer()
    {
        using var viewer = await server.SignedInAsync(AccessRole.Viewer);
        foreach (var (name, path, _) in (await HandlersAsync()).Where(handler => !ForAll.Contains(handler.Name)))
        {
            using var response = await Server.PostFormAsync(viewer, "/", [], path);
            Assert.True(response.StatusCode == HttpStatusCode.Forbidden, $"'{name}' answers a viewer with {response.StatusCode}.");
        }
    }

    [Fact]
    public async Task The_same_forms_are_open_to_whoever_has_the_role()
    {
        using var actor = await server.SignedInAsync(AccessRole.Operator);
        foreach (var (name, path, _) in (await HandlersAsync()).Where(handler => !ForAll.Contains(handler.Name)))
        {
            using var response = await Server.PostFormAsync(actor, "/", [], path);
            Assert.True((response.StatusCode == HttpStatusCode.Forbidden) == ForAdmins.Contains(name), $"'{name}' answers an operator with {response.StatusCode}.");
        }
    }

    private async Task<List<(string Name, string Path, string Method)>> HandlersAsync()
    {
        List<(string, string, string)> handlers = [];
        foreach (var page in server.Get<IActionDescriptorCollectionProvider>().ActionDescriptors.Items.OfType<PageActionDescriptor>())
        {
            var compiled = await server.Get<PageLoader>().LoadAsync(page, EndpointMetadataCollection.Empty);
            var route = new RouteOfApp($"POST /{page.AttributeRouteInfo!.Template}", [], IsOpen: false).Request(("id", "job_38g6s4b3k6gmq"), ("job", "job_38g6s4b3k6gmq")).RequestUri!.ToString();
            foreach (var handler in compiled.HandlerMethods.Where(handler => handler.HttpMethod is not ("Get" or "GET")))
            {
                var query = handler.Name is null ? "" : $"?handler={handler.Name}";
                handlers.Add(($"{handler.HttpMethod.ToUpperInvariant()} /{page.AttributeRouteInfo.Template}{query}", route + query, $"{handler.MethodInfo.DeclaringType!.Name}.{handler.MethodInfo.Name}"));
            }
        }

        return handlers;
    }
}
