Feature: The way into the Purchase Journey
  Klarna asks the customer. The acquirer hands the way to the Partner, and waits for the webhook.

  @AP-13 @AP-15 @redirect
  Scenario: In redirect mode the customer opens the URL that the acquirer returned
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in redirect mode
    Then the initial authorize asks for a step-up in redirect mode
    And the acquirer returns the payment session, forwarding Klarna's payment URL or request id
    When the customer opens the URL that the acquirer returned
    And the customer approves the purchase
    And the customer comes back to the Partner
    Then the acquirer tells the Partner that the payment is approved
    And the customer lands on the Partner's return page

  @AP-13 @AP-15 @sdk
  Scenario: In SDK mode the SDK opens with the payment request id that the acquirer returned
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in SDK mode
    Then the initial authorize asks for a step-up in SDK mode
    And the acquirer returns the payment session, forwarding Klarna's payment URL or request id
    When the customer opens the SDK with the payment request id that the acquirer returned
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved

  @AP-13
  Scenario: A customer of the Partner's app is led back to the app
    Given a Partner with an order of 459.00 SEK
    And the customer is to come back to the Partner's app
    And Klarna will require a step-up
    When the Partner creates the payment
    Then the initial authorize leads the customer back to the Partner's app

  @AP-21 @AP-29
  Scenario: The customer leaves, comes back to the purchase journey, and approves
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer leaves the purchase undecided
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    And the acquirer tells the Partner that the payment is approved
