@document
Feature: The server-side-only integration, as the document draws it
  The sequence diagram of Klarna's page "Server-side only integration", arrow by arrow, in its three
  branches. Above each group of steps stands the arrow that it plays, in the words of the diagram:
  C is the customer, P the Partner, AP the Acquiring Partner, K Klarna.

  Arrows that both roles of the suite play for themselves (P->>P, C->>P) only set the scene. Before its
  branches the diagram shows two ways to Klarna's presentation, which are the first two scenarios: no acquirer
  takes part in the one, and yet the payment that it leads to is the same.

  @AP-01 @AP-11 @AP-16 @payment_methods @network_data @session_token
  Scenario: The Partner uses the Acquiring Partner's APIs for the payment presentation
    # C->>P: Visit checkout page
    Given the customer visits the checkout page with an order of 459.00 SEK
    And the Partner has a Klarna Network session token
    And Klarna will approve the payment

    # P->>AP: Request available payment methods
    # Note over P,AP: Share Klarna Network data points
    When the Partner asks the acquirer for the payment methods

    # AP->>K: Request Klarna payment presentation
    # Note over AP,K: Share Klarna Network data points
    Then the acquirer asks Klarna for its presentation of the order
    And the Partner's session token reached Klarna's presentation

    # P->>P: Display payment selector
    And Klarna is among the payment methods
    And what the list says of Klarna is what Klarna presented

    # C->>P: Select Klarna and click Pay button
    When the customer selects Klarna and clicks the Pay button

    # P->>AP: Create payment session
    # Note over P,AP: Share Klarna Network data points
    And the Partner creates the payment with the payment option that was offered

    # AP->>K: Authorize payment (initial)
    # Note over AP,K: Share Klarna Network data points
    Then the acquirer authorizes the payment with Klarna, initially
    And the payment option reached Klarna with the authorize
    And the network data reached Klarna byte for byte
    And the Partner's session token reached Klarna with the initial authorize

    # K->>AP: Payment APPROVED
    And Klarna answers that the payment is approved

    # AP->>P: Respond with approval
    # Note over P,AP: Order completed
    And the acquirer responds that the payment is approved

    # P->>C: Redirect to confirmation page
    And the Partner can redirect the customer to its confirmation page

  @AP-01 @AP-11 @AP-16 @network_data
  Scenario: The Partner integrates Klarna's SDK directly for the payment presentation
    # C->>P: Visit checkout page
    Given the customer visits the checkout page with an order of 459.00 SEK
    And Klarna will approve the payment

    # P->>K: Request Klarna payment presentation
    # Note over P,K: Share Klarna Network data points
    When the Partner asks Klarna itself for its presentation of the order

    # P->>P: Display payment selector
    # C->>P: Select Klarna and click Pay button
    And the customer selects Klarna and clicks the Pay button

    # P->>AP: Create payment session
    # Note over P,AP: Share Klarna Network data points
    And the Partner creates the payment with the payment option that was offered

    # AP->>K: Authorize payment (initial)
    # Note over AP,K: Share Klarna Network data points
    Then the acquirer authorizes the payment with Klarna, initially
    And the network data reached Klarna byte for byte

    # K->>AP: Payment APPROVED
    And Klarna answers that the payment is approved

    # AP->>P: Respond with approval
    # Note over P,AP: Order completed
    And the acquirer responds that the payment is approved
    And the payment option reached Klarna with the authorize

    # P->>C: Redirect to confirmation page
    And the Partner can redirect the customer to its confirmation page

  @AP-11 @AP-13 @AP-15 @AP-19 @AP-20 @AP-23 @AP-29 @network_data
  Scenario: Step-up required
    # C->>P: Visit checkout page
    Given the customer visits the checkout page with an order of 459.00 SEK
    And Klarna will require a step-up

    # P->>P: Display payment selector
    # C->>P: Select Klarna and click Pay button
    When the customer selects Klarna and clicks the Pay button

    # P->>AP: Create payment session
    # Note over P,AP: Share Klarna Network data points
    And the Partner creates the payment, sharing Klarna Network Data

    # AP->>K: Authorize payment (initial)
    # Note over AP,K: Share Klarna Network data points
    Then the acquirer authorizes the payment with Klarna, initially
    And the network data reached Klarna byte for byte

    # K->>AP: Return payment request for step-up
    # Note over K,AP: Klarna payment URL and request ID
    And Klarna returns a payment request for step-up, with its URL and request id

    # AP->>P: Return payment session
    # Note over P,AP: Forward Klarna payment URL and request ID
    And the acquirer returns the payment session, forwarding Klarna's payment URL or request id

    # P->>P: Launch Klarna purchase journey
    When the Partner launches the Klarna purchase journey

    # C->>K: Complete purchase on Klarna
    And the customer completes the purchase on Klarna

    # K->>AP: Webhook notification
    # Note over K,AP: Payment request completed
    Then Klarna notifies the acquirer by webhook that the payment request is completed

    # AP->>K: Authorize payment (final)
    And the acquirer authorizes the payment with Klarna, finally

    # K->>AP: Payment APPROVED
    And Klarna answers that the payment is approved

    # AP->>P: Webhook notification
    # Note over P,AP: Order completed
    And the acquirer tells the Partner that the payment is approved

    # AP->>C: Redirect to confirmation page
    And the acquirer redirects the customer to the Partner's confirmation page

  @AP-11 @AP-16 @network_data
  Scenario: Transaction approved
    # C->>P: Visit checkout page
    Given the customer visits the checkout page with an order of 459.00 SEK
    And Klarna will approve the payment

    # P->>P: Display payment selector
    # C->>P: Select Klarna and click Pay button
    When the customer selects Klarna and clicks the Pay button

    # P->>AP: Create payment session
    # Note over P,AP: Share Klarna Network data points
    And the Partner creates the payment, sharing Klarna Network Data

    # AP->>K: Authorize payment (initial)
    # Note over AP,K: Share Klarna Network data points
    Then the acquirer authorizes the payment with Klarna, initially
    And the network data reached Klarna byte for byte

    # K->>AP: Payment APPROVED
    And Klarna answers that the payment is approved

    # AP->>P: Respond with approval
    # Note over P,AP: Order completed
    And the acquirer responds that the payment is approved

    # P->>C: Redirect to confirmation page
    And the Partner can redirect the customer to its confirmation page

  @AP-11 @AP-17 @network_data
  Scenario: Transaction declined
    # C->>P: Visit checkout page
    Given the customer visits the checkout page with an order of 459.00 SEK
    And Klarna will decline the payment

    # P->>P: Display payment selector
    # C->>P: Select Klarna and click Pay button
    When the customer selects Klarna and clicks the Pay button

    # P->>AP: Create payment session
    # Note over P,AP: Share Klarna Network data points
    And the Partner creates the payment, sharing Klarna Network Data

    # AP->>K: Authorize payment (initial)
    # Note over AP,K: Share Klarna Network data points
    Then the acquirer authorizes the payment with Klarna, initially
    And the network data reached Klarna byte for byte

    # K->>AP: Payment DECLINED
    And Klarna answers that the payment is declined

    # AP->>P: Respond with decline
    # Note over P,AP: Payment declined
    And the acquirer responds that the payment is declined

    # P->>C: Redirect to checkout page
    # Note over C,P: Display error message to customer
    And the Partner can redirect the customer to its checkout page and display an error message
